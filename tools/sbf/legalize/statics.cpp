// Mutable statics: a program has no writable data section, but its heap starts each invocation as zeros.
//
// Solana's bump allocator keeps its cursor in the heap's first word, takes memory from the top of 32 KiB downwards,
// and reads a cursor of zero as "nothing taken yet". So the statics go to the top, and the entry point first sets the
// cursor below them, as if they had been allocated: the allocator cannot hand out their bytes.
#include "legalize.h"

#include "llvm/Support/raw_ostream.h"

#include <vector>

using namespace llvm;

namespace sbf {
namespace {

constexpr uint64_t kHeapStart = 0x300000000;
constexpr uint64_t kHeapEnd = kHeapStart + 32 * 1024;

Constant *address(Module &M, uint64_t At) {
  LLVMContext &C = M.getContext();
  return ConstantExpr::getIntToPtr(ConstantInt::get(Type::getInt64Ty(C), At), PointerType::get(C, 0));
}

bool isMutableStatic(const GlobalVariable &G) {
  // LLVM's own lists (llvm.used and the like) never reach the program.
  return !G.isConstant() && !G.isDeclaration() && !G.getName().starts_with("llvm.");
}

// A static that starts as anything but zero would silently start as zero.
void requireZero(const GlobalVariable &G) {
  const Constant *Start = G.getInitializer();
  if (G.isThreadLocal())
    fail("the static " + G.getName() + " is thread-local; a program has one thread and no storage for it");
  if (!Start->isNullValue() && !isa<UndefValue>(Start))
    fail("the mutable static " + G.getName() +
         " does not start as zero; make it constant, or zero and set when first used");
}

void setCursor(Module &M, uint64_t At) {
  Function *Entry = M.getFunction(kEntrypoint);
  if (!Entry || Entry->isDeclaration())
    fail("no function " + kEntrypoint + " to set the heap's cursor in");
  IRBuilder<> B(&*Entry->getEntryBlock().getFirstInsertionPt());
  B.CreateAlignedStore(B.getInt64(At), address(M, kHeapStart), Align(8));
}

} // namespace

void lowerStatics(Module &M) {
  std::vector<GlobalVariable *> Statics;
  for (GlobalVariable &G : M.globals())
    if (isMutableStatic(G))
      Statics.push_back(&G);
  if (Statics.empty())
    return;
  uint64_t At = kHeapEnd;
  for (GlobalVariable *G : Statics) {
    requireZero(*G);
    uint64_t Size = M.getDataLayout().getTypeAllocSize(G->getValueType());
    if (Size > At - kHeapStart - sizeof(uint64_t))
      fail("the mutable statics do not fit the heap");
    At = alignDown(At - Size, std::max<uint64_t>(8, G->getAlign().valueOrOne().value()));
    G->replaceAllUsesWith(address(M, At));
    G->eraseFromParent();
  }
  setCursor(M, At);
}

} // namespace sbf
