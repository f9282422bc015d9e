// The calling convention: a call passes five registers and returns one.
//
// A wider result is written to memory that the caller provides, as a leading argument. When the arguments need more
// than five registers, the first ones stay in registers and the last register points to a struct with the others.
// Definitions and calls are rewritten by their type alone, so calls through pointers agree with what they reach.
#include "legalize.h"

#include "llvm/IR/AttributeMask.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

#include <vector>

using namespace llvm;

namespace sbf {
namespace {

constexpr unsigned kRegisters = 5;

unsigned registersOf(Type *T) {
  if (auto *Integer = dyn_cast<IntegerType>(T))
    return std::max(1u, (Integer->getBitWidth() + 63) / 64);
  if (auto *Array = dyn_cast<ArrayType>(T))
    return Array->getNumElements() * registersOf(Array->getElementType());
  if (auto *Struct = dyn_cast<StructType>(T)) {
    unsigned Sum = 0;
    for (Type *Element : Struct->elements())
      Sum += registersOf(Element);
    return Sum;
  }
  return T->isVoidTy() ? 0 : 1;
}

// How a function type is passed after the rewrite.
struct Shape {
  FunctionType *Type = nullptr;
  bool ResultInMemory = false;
  unsigned InRegisters = 0;      // how many of the original parameters stay in registers
  StructType *Overflow = nullptr; // the others, if any
};

Shape shapeOf(FunctionType *Old) {
  LLVMContext &C = Old->getContext();
  PointerType *Pointer = PointerType::get(C, 0);
  Shape S;
  S.ResultInMemory = registersOf(Old->getReturnType()) > 1;
  std::vector<Type *> Params;
  if (S.ResultInMemory)
    Params.push_back(Pointer);
  unsigned Used = Params.size(), Total = Used, Count = Old->getNumParams();
  for (Type *T : Old->params())
    Total += registersOf(T);
  // One register is kept for the pointer to the others.
  unsigned Limit = Total <= kRegisters ? kRegisters : kRegisters - 1;
  while (S.InRegisters < Count && Used + registersOf(Old->getParamType(S.InRegisters)) <= Limit) {
    Type *T = Old->getParamType(S.InRegisters++);
    Used += registersOf(T);
    Params.push_back(T);
  }
  if (S.InRegisters < Count) {
    S.Overflow = StructType::get(C, ArrayRef<Type *>(Old->param_begin() + S.InRegisters, Old->param_end()));
    Params.push_back(Pointer);
  }
  Type *Result = S.ResultInMemory ? Type::getVoidTy(C) : Old->getReturnType();
  S.Type = FunctionType::get(Result, Params, Old->isVarArg());
  return S;
}

bool needsRewrite(FunctionType *T) { return shapeOf(T).Type != T; }

bool needsRewrite(CallBase &Call) {
  return !Call.isInlineAsm() && !isa<IntrinsicInst>(Call) && needsRewrite(Call.getFunctionType());
}

// Attributes of parameters and results no longer match; nor does a claim about which memory is touched.
AttributeList functionAttributes(LLVMContext &C, AttributeList Old) {
  AttributeMask Memory;
  Memory.addAttribute(Attribute::Memory);
  return AttributeList::get(C, Old.getFnAttrs().removeAttributes(C, Memory), AttributeSet(), {});
}

// The members of the overflow struct are only read and written one by one, so alignment 1 is always true.
Value *overflowMember(IRBuilder<> &B, const Shape &S, Value *Struct, unsigned Parameter) {
  return B.CreateStructGEP(S.Overflow, Struct, Parameter - S.InRegisters);
}

void rewriteCall(CallBase *Call) {
  if (!isa<CallInst>(Call))
    fail("a call that may unwind; build with panic = abort");
  FunctionType *Old = Call->getFunctionType();
  Shape S = shapeOf(Old);
  Function *Caller = Call->getFunction();
  IRBuilder<> B(Call);
  std::vector<Value *> Args;
  AllocaInst *Result = nullptr, *Overflow = nullptr;
  if (S.ResultInMemory) {
    Result = stackSlot(Caller, Old->getReturnType(), "result");
    B.CreateLifetimeStart(Result);
    Args.push_back(Result);
  }
  for (unsigned I = 0; I < S.InRegisters; ++I)
    Args.push_back(Call->getArgOperand(I));
  if (S.Overflow) {
    Overflow = stackSlot(Caller, S.Overflow, "arguments");
    B.CreateLifetimeStart(Overflow);
    for (unsigned I = S.InRegisters; I < Old->getNumParams(); ++I)
      B.CreateAlignedStore(Call->getArgOperand(I), overflowMember(B, S, Overflow, I), Align(1));
    Args.push_back(Overflow);
  }
  CallInst *New = B.CreateCall(S.Type, Call->getCalledOperand(), Args);
  New->setCallingConv(Call->getCallingConv());
  New->setAttributes(functionAttributes(Call->getContext(), Call->getAttributes()));
  Value *Returned = New;
  if (S.ResultInMemory) {
    Returned = B.CreateAlignedLoad(Old->getReturnType(), Result, Align(8));
    B.CreateLifetimeEnd(Result);
  }
  if (Overflow)
    B.CreateLifetimeEnd(Overflow);
  if (!Call->getType()->isVoidTy())
    Call->replaceAllUsesWith(Returned);
  Call->eraseFromParent();
}

void storeResult(Function &F, Value *Result) {
  for (BasicBlock &Block : F) {
    auto *Return = dyn_cast<ReturnInst>(Block.getTerminator());
    if (!Return)
      continue;
    IRBuilder<> B(Return);
    B.CreateAlignedStore(Return->getReturnValue(), Result, Align(8));
    B.CreateRetVoid();
    Return->eraseFromParent();
  }
}

void rewriteDefinition(Function *Old) {
  Shape S = shapeOf(Old->getFunctionType());
  Function *New = Function::Create(S.Type, Old->getLinkage(), Old->getAddressSpace(), "", Old->getParent());
  New->copyAttributesFrom(Old);
  New->setAttributes(functionAttributes(Old->getContext(), Old->getAttributes()));
  New->takeName(Old);
  New->setComdat(Old->getComdat());
  New->setSubprogram(Old->getSubprogram());
  Old->setSubprogram(nullptr);
  New->splice(New->begin(), Old);
  IRBuilder<> B(&*New->getEntryBlock().getFirstInsertionPt());
  unsigned First = S.ResultInMemory ? 1 : 0;
  for (unsigned I = 0; I < S.InRegisters; ++I)
    Old->getArg(I)->replaceAllUsesWith(New->getArg(First + I));
  for (unsigned I = S.InRegisters; I < Old->arg_size(); ++I) {
    Value *Member = overflowMember(B, S, New->getArg(First + S.InRegisters), I);
    Old->getArg(I)->replaceAllUsesWith(B.CreateAlignedLoad(Old->getArg(I)->getType(), Member, Align(1)));
  }
  if (S.ResultInMemory)
    storeResult(*New, New->getArg(0));
  Old->replaceAllUsesWith(New);
  Old->eraseFromParent();
}

// The backend refuses this attribute, which only says that the pointer is for the result.
void dropStructReturnAttributes(Function &F) {
  for (unsigned I = 0; I < F.arg_size(); ++I)
    F.removeParamAttr(I, Attribute::StructRet);
  for (Instruction &I : instructions(F))
    if (auto *Call = dyn_cast<CallBase>(&I))
      for (unsigned A = 0; A < Call->arg_size(); ++A)
        Call->removeParamAttr(A, Attribute::StructRet);
}

} // namespace

bool lowerTrap(Instruction &I) {
  auto *Trap = dyn_cast<IntrinsicInst>(&I);
  if (!Trap || Trap->getIntrinsicID() != Intrinsic::trap)
    return false;
  IRBuilder<> B(&I);
  callRuntime(B, "abort", B.getVoidTy(), {})->setDoesNotReturn();
  I.eraseFromParent();
  return true;
}

void lowerCalls(Module &M) {
  std::vector<CallBase *> Calls;
  std::vector<Function *> Definitions;
  for (Function &F : M) {
    if (F.isIntrinsic())
      continue;
    dropStructReturnAttributes(F);
    if (needsRewrite(F.getFunctionType())) {
      // Nobody rewrites the other side of a system call.
      if (F.isDeclaration() && !F.use_empty())
        fail("the external function " + F.getName() + " takes or returns more than registers hold");
      if (!F.isDeclaration())
        Definitions.push_back(&F);
    }
    for (Instruction &I : instructions(F))
      if (auto *Call = dyn_cast<CallBase>(&I); Call && needsRewrite(*Call))
        Calls.push_back(Call);
  }
  for (CallBase *Call : Calls)
    rewriteCall(Call);
  for (Function *F : Definitions)
    rewriteDefinition(F);
}

} // namespace sbf
