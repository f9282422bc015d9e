// `anchor migrate` runs this with the provider of Anchor.toml. It only forwards to `perpetua-setup`; see README.md.
const { spawnSync } = require("node:child_process");
const { join } = require("node:path");

module.exports = async function (provider) {
  const wallet = process.env.ANCHOR_WALLET;
  if (!wallet) {
    throw new Error("ANCHOR_WALLET names no key file; run `anchor migrate`, or perpetua-setup itself");
  }
  const config = process.env.PERPETUA_CONFIG ?? join(__dirname, "localnet.toml");
  const command = ["run", "--quiet", "--package", "perpetua-migrations", "--"];
  const choices = ["--config", config, "--url", provider.connection.rpcEndpoint, "--keypair", wallet];
  const confirmed = process.env.PERPETUA_CONFIRMED === "yes" ? ["--yes"] : ["--dry-run"];
  const { error, status } = spawnSync("cargo", [...command, ...choices, ...confirmed], {
    cwd: join(__dirname, ".."),
    stdio: "inherit",
  });
  if (error || status !== 0) {
    throw error ?? new Error(`perpetua-setup ended with status ${status}`);
  }
};
