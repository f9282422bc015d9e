// The pass `sbf-legalize`: runs each lowering over a whole, already optimized program.
#include "legalize.h"

#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/PassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Plugins/PassPlugin.h"
#include "llvm/Support/ErrorHandling.h"

#include <vector>

using namespace llvm;

namespace sbf {

void fail(const Twine &Reason) { report_fatal_error("sbf-legalize: " + Reason, /*gen_crash_diag=*/false); }

AllocaInst *stackSlot(Function *F, Type *T, const Twine &Name) {
  IRBuilder<> B(&*F->getEntryBlock().getFirstInsertionPt());
  AllocaInst *Slot = B.CreateAlloca(T, nullptr, Name);
  Slot->setAlignment(Align(8));
  return Slot;
}

CallInst *callRuntime(IRBuilder<> &B, StringRef Name, Type *Result, ArrayRef<Value *> Args) {
  std::vector<Type *> Params;
  for (Value *Arg : Args)
    Params.push_back(Arg->getType());
  Module *M = B.GetInsertBlock()->getModule();
  return B.CreateCall(M->getOrInsertFunction(Name, FunctionType::get(Result, Params, false)), Args);
}

} // namespace sbf

namespace {

// One sweep; a lowering may create what a second sweep has to lower.
bool lowerFunction(Function &F) {
  std::vector<Instruction *> Work;
  for (Instruction &I : instructions(F))
    Work.push_back(&I);
  bool Changed = false;
  for (Instruction *I : Work) {
    if (sbf::lowerMemory(*I) || sbf::lowerTrap(*I)) {
      Changed = true;
      continue;
    }
    Value *Replacement = sbf::lowerInteger(*I);
    if (!Replacement)
      Replacement = sbf::lowerFloat(*I);
    if (!Replacement)
      continue;
    I->replaceAllUsesWith(Replacement);
    if (auto *New = dyn_cast<Instruction>(Replacement))
      New->takeName(I);
    I->eraseFromParent();
    Changed = true;
  }
  return Changed;
}

// The code generator itself emits calls of these, so they stay visible; the rest may be dropped when unused.
bool staysVisible(const Function &F) {
  StringRef Name = F.getName();
  return Name == sbf::kEntrypoint || Name == "memcpy" || Name == "memmove" || Name == "memset" || Name == "memcmp";
}

struct Legalize : PassInfoMixin<Legalize> {
  static bool isRequired() { return true; }

  PreservedAnalyses run(Module &M, ModuleAnalysisManager &) {
    // The rewritten signatures would contradict the debug records of types and variables. Lines, where there are any, stay.
    stripNonLineTableDebugInfo(M);
    sbf::lowerStatics(M);
    for (Function &F : M)
      while (lowerFunction(F)) {
      }
    sbf::lowerCalls(M);
    for (Function &F : M)
      if (!F.isDeclaration() && !staysVisible(F))
        F.setLinkage(GlobalValue::InternalLinkage);
    if (verifyModule(M, &errs()))
      sbf::fail("the lowered module is broken");
    return PreservedAnalyses::none();
  }
};

} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo llvmGetPassPluginInfo() {
  auto Register = [](PassBuilder &PB) {
    PB.registerPipelineParsingCallback(
        [](StringRef Name, ModulePassManager &Passes, ArrayRef<PassBuilder::PipelineElement>) {
          if (Name != "sbf-legalize")
            return false;
          Passes.addPass(Legalize());
          return true;
        });
  };
  return {LLVM_PLUGIN_API_VERSION, "sbf-legalize", "1", Register};
}
