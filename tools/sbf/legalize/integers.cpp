// Integers: wide multiplication, division and shifts, signed division, and multiplication that reports overflow.
#include "legalize.h"

#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace sbf {
namespace {

constexpr unsigned kRegisterBits = 64;

Value *lowHalf(IRBuilder<> &B, Value *V) { return B.CreateTrunc(V, B.getInt64Ty()); }
Value *highHalf(IRBuilder<> &B, Value *V) { return B.CreateTrunc(B.CreateLShr(V, kRegisterBits), B.getInt64Ty()); }

// Calls `Name(out, x low, x high, y low, y high)`: five registers, which is all that a call can pass.
// Returns what was written to `out`; `Status` receives what the function returned.
Value *callWide(IRBuilder<> &B, StringRef Name, Value *X, Value *Y, Type *Result, Value **Status = nullptr) {
  AllocaInst *Out = stackSlot(B.GetInsertBlock()->getParent(), B.getInt128Ty(), "wide");
  B.CreateLifetimeStart(Out);
  Value *Returned =
      callRuntime(B, Name, Result, {Out, lowHalf(B, X), highHalf(B, X), lowHalf(B, Y), highHalf(B, Y)});
  if (Status)
    *Status = Returned;
  Value *Loaded = B.CreateAlignedLoad(B.getInt128Ty(), Out, Align(8));
  B.CreateLifetimeEnd(Out);
  return Loaded;
}

Value *callWide(IRBuilder<> &B, StringRef Name, Value *X, Value *Y) {
  return callWide(B, Name, X, Y, B.getVoidTy());
}

// A product of two 256-bit numbers, by address. Fixed-point libraries multiply 128-bit numbers this way.
Value *multiply256(IRBuilder<> &B, Value *X, Value *Y) {
  Function *F = B.GetInsertBlock()->getParent();
  Type *T = X->getType();
  AllocaInst *Out = stackSlot(F, T, "wide"), *Left = stackSlot(F, T, "left"), *Right = stackSlot(F, T, "right");
  for (AllocaInst *Slot : {Out, Left, Right})
    B.CreateLifetimeStart(Slot);
  B.CreateAlignedStore(X, Left, Align(8));
  B.CreateAlignedStore(Y, Right, Align(8));
  callRuntime(B, "__sbf_mul256", B.getVoidTy(), {Out, Left, Right});
  Value *Product = B.CreateAlignedLoad(T, Out, Align(8));
  for (AllocaInst *Slot : {Out, Left, Right})
    B.CreateLifetimeEnd(Slot);
  return Product;
}

// A 128-bit shift by a variable amount, branch-free: the amount modulo 64 moves bits within and between the
// halves, and an amount of 64 or more then moves whole halves. Bits between the halves are shifted in two steps,
// since a shift by 64 has no defined result.
Value *shift128(IRBuilder<> &B, Instruction::BinaryOps Op, Value *X, Value *Amount) {
  Value *Low = lowHalf(B, X), *High = highHalf(B, X);
  Value *N = B.CreateAnd(lowHalf(B, Amount), 127);
  Value *Halves = B.CreateICmpUGE(N, B.getInt64(kRegisterBits));
  Value *Within = B.CreateAnd(N, 63), *Rest = B.CreateXor(Within, 63);
  Value *NewLow, *NewHigh;
  if (Op == Instruction::Shl) {
    Value *Shifted = B.CreateShl(Low, Within);
    Value *Carried = B.CreateOr(B.CreateShl(High, Within), B.CreateLShr(B.CreateLShr(Low, 1), Rest));
    NewLow = B.CreateSelect(Halves, B.getInt64(0), Shifted);
    NewHigh = B.CreateSelect(Halves, Shifted, Carried);
  } else {
    bool Signed = Op == Instruction::AShr;
    Value *Shifted = Signed ? B.CreateAShr(High, Within) : B.CreateLShr(High, Within);
    Value *Carried = B.CreateOr(B.CreateLShr(Low, Within), B.CreateShl(B.CreateShl(High, 1), Rest));
    Value *Fill = Signed ? B.CreateAShr(High, 63) : B.getInt64(0);
    NewLow = B.CreateSelect(Halves, Shifted, Carried);
    NewHigh = B.CreateSelect(Halves, Fill, Shifted);
  }
  Type *Wide = B.getInt128Ty();
  return B.CreateOr(B.CreateZExt(NewLow, Wide), B.CreateShl(B.CreateZExt(NewHigh, Wide), kRegisterBits));
}

// sBPF v0 divides unsigned numbers only: divide the magnitudes, then restore the sign.
// -|x| has the same bits as |x| for the most negative number, so its quotient by -1 wraps as in two's complement.
Value *divideSigned(IRBuilder<> &B, BinaryOperator &I) {
  bool Remainder = I.getOpcode() == Instruction::SRem;
  Value *X = I.getOperand(0), *Y = I.getOperand(1);
  unsigned SignBit = I.getType()->getIntegerBitWidth() - 1;
  Value *SignX = B.CreateAShr(X, SignBit), *SignY = B.CreateAShr(Y, SignBit);
  Value *AbsX = B.CreateSub(B.CreateXor(X, SignX), SignX), *AbsY = B.CreateSub(B.CreateXor(Y, SignY), SignY);
  Value *Magnitude = Remainder ? B.CreateURem(AbsX, AbsY) : B.CreateUDiv(AbsX, AbsY);
  Value *Sign = Remainder ? SignX : B.CreateXor(SignX, SignY);
  return B.CreateSub(B.CreateXor(Magnitude, Sign), Sign);
}

Value *lowerBinary128(IRBuilder<> &B, BinaryOperator &I) {
  Value *X = I.getOperand(0), *Y = I.getOperand(1);
  switch (I.getOpcode()) {
  case Instruction::Mul:
    return callWide(B, "__sbf_mul128", X, Y);
  case Instruction::UDiv:
    return callWide(B, "__sbf_udiv128", X, Y);
  case Instruction::URem:
    return callWide(B, "__sbf_urem128", X, Y);
  case Instruction::SDiv:
    return callWide(B, "__sbf_sdiv128", X, Y);
  case Instruction::SRem:
    return callWide(B, "__sbf_srem128", X, Y);
  case Instruction::Shl:
  case Instruction::LShr:
  case Instruction::AShr:
    // The backend splits a shift by a constant itself.
    return isa<ConstantInt>(Y) ? nullptr : shift128(B, I.getOpcode(), X, Y);
  default:
    return nullptr;
  }
}

Value *lowerBinary(BinaryOperator &I) {
  if (!I.getType()->isIntegerTy())
    return nullptr;
  IRBuilder<> B(&I);
  unsigned Bits = I.getType()->getIntegerBitWidth();
  Instruction::BinaryOps Op = I.getOpcode();
  if (Bits == 256 && Op == Instruction::Mul)
    return multiply256(B, I.getOperand(0), I.getOperand(1));
  if (Bits == 128)
    return lowerBinary128(B, I);
  if (Bits <= kRegisterBits && (Op == Instruction::SDiv || Op == Instruction::SRem))
    return divideSigned(B, I);
  return nullptr;
}

// The product in twice the width overflowed if shortening and extending it again changes it.
Value *multiplyInTwice(IRBuilder<> &B, Value *X, Value *Y, bool Signed, Value *&Overflow) {
  Type *T = X->getType();
  Type *Twice = T->getIntegerBitWidth() <= 32 ? B.getInt64Ty() : static_cast<Type *>(B.getInt128Ty());
  auto Extend = [&](Value *V) { return Signed ? B.CreateSExt(V, Twice) : B.CreateZExt(V, Twice); };
  Value *Full = B.CreateMul(Extend(X), Extend(Y));
  Value *Product = B.CreateTrunc(Full, T);
  Overflow = B.CreateICmpNE(Extend(Product), Full);
  return Product;
}

Value *lowerMultiplyWithOverflow(IntrinsicInst &I) {
  IRBuilder<> B(&I);
  bool Signed = I.getIntrinsicID() == Intrinsic::smul_with_overflow;
  Value *X = I.getArgOperand(0), *Y = I.getArgOperand(1);
  Value *Product, *Overflow;
  if (X->getType()->getIntegerBitWidth() <= kRegisterBits) {
    Product = multiplyInTwice(B, X, Y, Signed, Overflow);
  } else if (X->getType()->isIntegerTy(128)) {
    Value *Status;
    Product = callWide(B, Signed ? "__sbf_smulo128" : "__sbf_umulo128", X, Y, B.getInt64Ty(), &Status);
    Overflow = B.CreateICmpNE(Status, B.getInt64(0));
  } else {
    fail("a checked multiplication of " + Twine(X->getType()->getIntegerBitWidth()) + " bits");
  }
  Value *Pair = B.CreateInsertValue(PoisonValue::get(I.getType()), Product, 0);
  return B.CreateInsertValue(Pair, Overflow, 1);
}

// A funnel shift joins two shifts; the complementary one is by 127 - n after one by 1, so never by 128.
Value *lowerFunnelShift(IntrinsicInst &I) {
  if (!I.getType()->isIntegerTy(128) || isa<ConstantInt>(I.getArgOperand(2)))
    return nullptr;
  IRBuilder<> B(&I);
  auto Constant128 = [&](uint64_t N) { return ConstantInt::get(B.getInt128Ty(), N); };
  Value *High = I.getArgOperand(0), *Low = I.getArgOperand(1);
  Value *N = B.CreateAnd(I.getArgOperand(2), Constant128(127));
  Value *Rest = B.CreateSub(Constant128(127), N);
  if (I.getIntrinsicID() == Intrinsic::fshl)
    return B.CreateOr(shift128(B, Instruction::Shl, High, N),
                      shift128(B, Instruction::LShr, B.CreateLShr(Low, Constant128(1)), Rest));
  return B.CreateOr(shift128(B, Instruction::Shl, B.CreateShl(High, Constant128(1)), Rest),
                    shift128(B, Instruction::LShr, Low, N));
}

} // namespace

Value *lowerInteger(Instruction &I) {
  if (auto *Binary = dyn_cast<BinaryOperator>(&I))
    return lowerBinary(*Binary);
  auto *Intrinsic = dyn_cast<IntrinsicInst>(&I);
  if (!Intrinsic)
    return nullptr;
  switch (Intrinsic->getIntrinsicID()) {
  case Intrinsic::umul_with_overflow:
  case Intrinsic::smul_with_overflow:
    return lowerMultiplyWithOverflow(*Intrinsic);
  case Intrinsic::fshl:
  case Intrinsic::fshr:
    return lowerFunnelShift(*Intrinsic);
  default:
    return nullptr;
  }
}

} // namespace sbf
