// What the program's interface is called here, and what its IDL does not say: where accounts are.

import {
  accountValueNode,
  addPdasVisitor,
  argumentValueNode,
  constantPdaSeedNodeFromString,
  fixedSizeTypeNode,
  bytesTypeNode,
  numberTypeNode,
  numberValueNode,
  pdaLinkNode,
  pdaSeedValueNode,
  pdaValueNode,
  programIdValueNode,
  publicKeyTypeNode,
  setInstructionAccountDefaultValuesVisitor,
  variablePdaSeedNode,
  visit,
} from 'codama';

/** Where Rust's paths name a thing twice, the account keeps its name, and what it holds is its state. */
const NAMES = [
  // Rendered files are called like what they hold, and index.ts is the list of them.
  [/^perpetua::state::index::Index$/, 'PriceIndex'],
  [/^perpetua::state::\w+::(\w+)$/, '$1'],
  [/^perpetua_model::calendar::ShortDay$/, 'CalendarDay'],
  [/^perpetua_model::\w+::(\w+)$/, '$1State'],
  [/^perpetua::instructions::.*::(\w+)$/, '$1'],
];

function shortName(name) {
  const [pattern, replacement] = NAMES.find(([pattern]) => pattern.test(name)) ?? [];
  return pattern ? name.replace(pattern, replacement) : name;
}

/** Types that are one number in Rust are one number here. A `Wide` is the two halves of one, the lower half first. */
function numberBehind({ name, repr, type }) {
  if (name === 'Wide') return 'u128';
  return repr?.kind === 'transparent' ? type.fields[0] : undefined;
}

/**
 * The IDL with short names and plain numbers, without the few addresses that it knows, and its events apart: their
 * structs become types like others, since Codama renders no events.
 */
export function named(idl) {
  const change = (key, value) => {
    if (key === 'pda') return undefined;
    return typeof value?.name === 'string' ? { ...value, name: shortName(value.name) } : value;
  };
  const renamed = JSON.parse(JSON.stringify(idl), change);
  const types = renamed.types.map((type) => {
    const alias = numberBehind(type);
    return alias ? { ...type, type: { kind: 'alias', value: alias } } : type;
  });
  const duplicate = types.find(({ name }, place) => types.findIndex((other) => other.name === name) !== place);
  if (duplicate) throw new Error(`two types are called ${duplicate.name}: give one of them another name in NAMES`);
  return { interfaceOfAccounts: { ...renamed, types, events: [] }, events: renamed.events };
}

const text = (value) => constantPdaSeedNodeFromString('utf8', value);
const key = (name) => variablePdaSeedNode(name, publicKeyTypeNode());
const number = (name, format) => variablePdaSeedNode(name, numberTypeNode(format));

/** Every address of the program by its seeds; tests compare each with Rust's. */
const ADDRESSES = [
  { name: 'exchange', seeds: [text('exchange')] },
  {
    name: 'priceIndex',
    seeds: [text('index'), variablePdaSeedNode('feedId', fixedSizeTypeNode(bytesTypeNode(), 32))],
  },
  { name: 'vault', seeds: [text('vault'), key('stockMint')] },
  { name: 'vaultTokens', seeds: [text('tokens'), key('vault')] },
  { name: 'shareMint', seeds: [text('shares'), key('vault'), number('pool', 'u8')] },
  { name: 'stock', seeds: [text('stock'), key('vault')] },
  { name: 'market', seeds: [text('market'), key('vault'), key('index'), number('settlement', 'u8')] },
  { name: 'marginAccount', seeds: [text('margin'), key('vault'), key('owner'), number('subAccount', 'u16')] },
  { name: 'ticket', seeds: [text('ticket'), key('vault'), number('pool', 'u8'), number('number', 'u64')] },
  { name: 'proposal', seeds: [text('proposal'), key('target')] },
  { name: 'eventAuthority', seeds: [text('__event_authority')] },
];

const address = (pda, seeds = {}) =>
  pdaValueNode(
    pdaLinkNode(pda),
    Object.entries(seeds).map(([name, value]) => pdaSeedValueNode(name, value)),
  );
const vault = accountValueNode('vault');
const pool = (value) => address('shareMint', { vault, pool: value });

/** Accounts that need not be given, and what of an instruction they follow from. */
const FOLLOWING = [
  { account: 'program', defaultValue: programIdValueNode() },
  { account: 'eventAuthority', defaultValue: address('eventAuthority') },
  { account: 'exchange', defaultValue: address('exchange') },
  {
    account: 'vault',
    from: ['stockMint'],
    defaultValue: address('vault', { stockMint: accountValueNode('stockMint') }),
  },
  { account: 'tokens', from: ['vault'], defaultValue: address('vaultTokens', { vault }) },
  { account: 'stock', from: ['vault'], defaultValue: address('stock', { vault }) },
  { account: 'shareMint', from: ['vault', 'pool'], defaultValue: pool(argumentValueNode('pool')) },
  { account: 'mainShares', from: ['vault'], defaultValue: pool(numberValueNode(0)) },
  { account: 'insuranceShares', from: ['vault'], defaultValue: pool(numberValueNode(1)) },
  {
    account: 'account',
    from: ['vault', 'owner', 'subAccount'],
    defaultValue: address('marginAccount', {
      vault,
      owner: accountValueNode('owner'),
      subAccount: argumentValueNode('subAccount'),
    }),
  },
  { account: 'index', from: ['feedId'], defaultValue: address('priceIndex', { feedId: argumentValueNode('feedId') }) },
];

/** The rules that apply: an account that may be absent never follows from others. */
function rulesOf(instruction) {
  const given = [...instruction.accounts, ...instruction.arguments].map(({ name }) => name);
  const follows = ({ account, from = [] }) =>
    from.every((name) => given.includes(name)) &&
    instruction.accounts.some(({ name, isOptional }) => name === account && !isOptional);
  return FOLLOWING.filter(follows).map(({ account, defaultValue }) => ({
    account,
    defaultValue,
    instruction: instruction.name,
  }));
}

/** Adds addresses, and what follows from them, to what Codama read from the IDL. */
export function complete(root) {
  const located = visit(root, addPdasVisitor({ perpetua: ADDRESSES }));
  return visit(located, setInstructionAccountDefaultValuesVisitor(located.program.instructions.flatMap(rulesOf)));
}
