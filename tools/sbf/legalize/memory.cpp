// memcpy, memmove and memset: the backend unrolls what is short and refuses the rest.
#include "legalize.h"

#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace sbf {
namespace {

// Up to here eight loads and stores cost less than a system call.
constexpr uint64_t kUnrolledBytes = 64;

} // namespace

bool lowerMemory(Instruction &I) {
  auto *Memory = dyn_cast<AnyMemIntrinsic>(&I);
  if (!Memory)
    return false;
  auto *Length = dyn_cast<ConstantInt>(Memory->getLength());
  if (Length && Length->getZExtValue() <= kUnrolledBytes)
    return false;
  IRBuilder<> B(&I);
  Value *Bytes = B.CreateZExtOrTrunc(Memory->getLength(), B.getInt64Ty());
  Type *Result = B.getPtrTy();
  if (auto *Transfer = dyn_cast<AnyMemTransferInst>(Memory)) {
    const char *Name = isa<AnyMemMoveInst>(Memory) ? "memmove" : "memcpy";
    callRuntime(B, Name, Result, {Transfer->getDest(), Transfer->getSource(), Bytes});
  } else {
    auto *Set = cast<AnyMemSetInst>(Memory);
    callRuntime(B, "memset", Result, {Set->getDest(), B.CreateZExt(Set->getValue(), B.getInt32Ty()), Bytes});
  }
  I.eraseFromParent();
  return true;
}

} // namespace sbf
