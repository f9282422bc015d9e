// Floating point: the machine has none, so each operation calls compiler-builtins' soft-float function.
#include "legalize.h"

#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace sbf {
namespace {

bool isDouble(Type *T) { return T->isDoubleTy(); }
bool isFloat(Type *T) { return T->isFloatTy() || T->isDoubleTy(); }

// libgcc's names: "sf" is f32, "df" is f64.
std::string withSuffix(StringRef Prefix, Type *T, StringRef Rest) {
  return (Prefix + (isDouble(T) ? "df" : "sf") + Rest).str();
}

Value *lowerArithmetic(BinaryOperator &I) {
  IRBuilder<> B(&I);
  StringRef Prefix;
  switch (I.getOpcode()) {
  case Instruction::FAdd:
    Prefix = "__add";
    break;
  case Instruction::FSub:
    Prefix = "__sub";
    break;
  case Instruction::FMul:
    Prefix = "__mul";
    break;
  case Instruction::FDiv:
    Prefix = "__div";
    break;
  default:
    return nullptr;
  }
  return callRuntime(B, withSuffix(Prefix, I.getType(), "3"), I.getType(), {I.getOperand(0), I.getOperand(1)});
}

// Each comparison function returns an i32 to compare with zero. For a NaN the ordered ones return what makes
// their own predicate false, so an unordered predicate is the negation of its ordered opposite.
Value *lowerComparison(FCmpInst &I) {
  IRBuilder<> B(&I);
  Value *X = I.getOperand(0), *Y = I.getOperand(1), *Zero = B.getInt32(0);
  auto Call = [&](StringRef Prefix) {
    return callRuntime(B, withSuffix(Prefix, X->getType(), "2"), B.getInt32Ty(), {X, Y});
  };
  auto Equal = [&] { return B.CreateICmpEQ(Call("__eq"), Zero); };
  auto Less = [&] { return B.CreateICmpSLT(Call("__lt"), Zero); };
  auto LessOrEqual = [&] { return B.CreateICmpSLE(Call("__le"), Zero); };
  auto Greater = [&] { return B.CreateICmpSGT(Call("__gt"), Zero); };
  auto GreaterOrEqual = [&] { return B.CreateICmpSGE(Call("__ge"), Zero); };
  auto Unordered = [&] { return B.CreateICmpNE(Call("__unord"), Zero); };
  switch (I.getPredicate()) {
  case CmpInst::FCMP_FALSE:
    return B.getFalse();
  case CmpInst::FCMP_TRUE:
    return B.getTrue();
  case CmpInst::FCMP_OEQ:
    return Equal();
  case CmpInst::FCMP_UNE:
    return B.CreateNot(Equal());
  case CmpInst::FCMP_OLT:
    return Less();
  case CmpInst::FCMP_UGE:
    return B.CreateNot(Less());
  case CmpInst::FCMP_OLE:
    return LessOrEqual();
  case CmpInst::FCMP_UGT:
    return B.CreateNot(LessOrEqual());
  case CmpInst::FCMP_OGT:
    return Greater();
  case CmpInst::FCMP_ULE:
    return B.CreateNot(Greater());
  case CmpInst::FCMP_OGE:
    return GreaterOrEqual();
  case CmpInst::FCMP_ULT:
    return B.CreateNot(GreaterOrEqual());
  case CmpInst::FCMP_ONE:
    return B.CreateOr(Less(), Greater());
  case CmpInst::FCMP_UEQ:
    return B.CreateNot(B.CreateOr(Less(), Greater()));
  case CmpInst::FCMP_UNO:
    return Unordered();
  case CmpInst::FCMP_ORD:
    return B.CreateNot(Unordered());
  default:
    fail("an unknown floating-point comparison");
  }
}

// The conversion functions come for 32, 64 and 128 bits ("si", "di", "ti"); take the next that holds the integer.
struct IntegerMode {
  Type *T;
  const char *Name;
};

IntegerMode integerMode(IRBuilder<> &B, Type *T) {
  unsigned Bits = T->getIntegerBitWidth();
  if (Bits <= 32)
    return {B.getInt32Ty(), "si"};
  if (Bits <= 64)
    return {B.getInt64Ty(), "di"};
  if (Bits <= 128)
    return {B.getInt128Ty(), "ti"};
  fail("a conversion between a float and " + Twine(Bits) + " bits");
}

// rustc passes what is wider than a register by address to and from C functions for this machine.
bool byAddress(const IntegerMode &Mode) { return Mode.T->isIntegerTy(128); }

// Those functions rely on the alignment that Rust gives to such integers.
AllocaInst *wideSlot(IRBuilder<> &B, Type *T) {
  AllocaInst *Slot = stackSlot(B.GetInsertBlock()->getParent(), T, "wide");
  Slot->setAlignment(Align(16));
  return Slot;
}

Value *integerToFloat(IRBuilder<> &B, Value *V, Type *To, bool Signed) {
  IntegerMode Mode = integerMode(B, V->getType());
  Value *Wide = Signed ? B.CreateSExt(V, Mode.T) : B.CreateZExt(V, Mode.T);
  std::string Name = withSuffix((Twine(Signed ? "__float" : "__floatun") + Mode.Name).str(), To, "");
  if (!byAddress(Mode))
    return callRuntime(B, Name, To, {Wide});
  AllocaInst *Argument = wideSlot(B, Mode.T);
  B.CreateLifetimeStart(Argument);
  B.CreateAlignedStore(Wide, Argument, Align(8));
  Value *Result = callRuntime(B, Name, To, {Argument});
  B.CreateLifetimeEnd(Argument);
  return Result;
}

// compiler-builtins' functions saturate at their own width, as Rust's casts do.
Value *floatToInteger(IRBuilder<> &B, Value *V, Type *To, bool Signed) {
  IntegerMode Mode = integerMode(B, To);
  std::string Name = withSuffix(Signed ? "__fix" : "__fixuns", V->getType(), Mode.Name);
  if (!byAddress(Mode))
    return callRuntime(B, Name, Mode.T, {V});
  AllocaInst *Out = wideSlot(B, Mode.T);
  B.CreateLifetimeStart(Out);
  callRuntime(B, Name, B.getVoidTy(), {Out, V});
  Value *Result = B.CreateAlignedLoad(Mode.T, Out, Align(8));
  B.CreateLifetimeEnd(Out);
  return Result;
}

// A narrower integer than the function's saturates at its own bounds.
Value *clamp(IRBuilder<> &B, Value *V, Type *To, bool Signed) {
  unsigned Wide = V->getType()->getIntegerBitWidth(), Narrow = To->getIntegerBitWidth();
  if (Wide == Narrow)
    return V;
  auto Bound = [&](const APInt &N) { return B.getInt(Signed ? N.sext(Wide) : N.zext(Wide)); };
  Value *Max = Bound(Signed ? APInt::getSignedMaxValue(Narrow) : APInt::getMaxValue(Narrow));
  V = B.CreateSelect(Signed ? B.CreateICmpSGT(V, Max) : B.CreateICmpUGT(V, Max), Max, V);
  if (Signed) {
    Value *Min = Bound(APInt::getSignedMinValue(Narrow));
    V = B.CreateSelect(B.CreateICmpSLT(V, Min), Min, V);
  }
  return B.CreateTrunc(V, To);
}

Value *lowerCast(CastInst &I) {
  IRBuilder<> B(&I);
  Value *V = I.getOperand(0);
  Type *To = I.getType();
  switch (I.getOpcode()) {
  case Instruction::UIToFP:
    return integerToFloat(B, V, To, /*Signed=*/false);
  case Instruction::SIToFP:
    return integerToFloat(B, V, To, /*Signed=*/true);
  case Instruction::FPToUI:
    return B.CreateTrunc(floatToInteger(B, V, To, /*Signed=*/false), To);
  case Instruction::FPToSI:
    return B.CreateTrunc(floatToInteger(B, V, To, /*Signed=*/true), To);
  case Instruction::FPExt:
    return callRuntime(B, "__extendsfdf2", To, {V});
  case Instruction::FPTrunc:
    return callRuntime(B, "__truncdfsf2", To, {V});
  default:
    return nullptr;
  }
}

// The sign is one bit: flip or clear it in the integer of the same bits.
Value *changeSign(Instruction &I, bool Clear) {
  IRBuilder<> B(&I);
  Value *V = I.getOperand(0);
  unsigned Bits = isDouble(V->getType()) ? 64 : 32;
  Value *Raw = B.CreateBitCast(V, B.getIntNTy(Bits));
  APInt Sign = APInt::getSignMask(Bits);
  Value *Changed = Clear ? B.CreateAnd(Raw, B.getInt(~Sign)) : B.CreateXor(Raw, B.getInt(Sign));
  return B.CreateBitCast(Changed, V->getType());
}

} // namespace

Value *lowerFloat(Instruction &I) {
  if (auto *Binary = dyn_cast<BinaryOperator>(&I))
    return isFloat(I.getType()) ? lowerArithmetic(*Binary) : nullptr;
  if (auto *Comparison = dyn_cast<FCmpInst>(&I))
    return lowerComparison(*Comparison);
  if (auto *Cast = dyn_cast<CastInst>(&I))
    return lowerCast(*Cast);
  if (I.getOpcode() == Instruction::FNeg)
    return changeSign(I, /*Clear=*/false);
  auto *Intrinsic = dyn_cast<IntrinsicInst>(&I);
  if (!Intrinsic)
    return nullptr;
  Intrinsic::ID ID = Intrinsic->getIntrinsicID();
  if (ID == Intrinsic::fabs)
    return changeSign(I, /*Clear=*/true);
  if (ID == Intrinsic::fptoui_sat || ID == Intrinsic::fptosi_sat) {
    IRBuilder<> B(&I);
    bool Signed = ID == Intrinsic::fptosi_sat;
    return clamp(B, floatToInteger(B, Intrinsic->getArgOperand(0), I.getType(), Signed), I.getType(), Signed);
  }
  return nullptr;
}

} // namespace sbf
