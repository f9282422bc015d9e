// Stores of constants: the machine stores an immediate in one instruction, but the backend uses that only in a later version
// of Linux's instruction set and first puts the constant into a register. This pass runs inside the backend, when
// instructions are selected and registers not yet given out.
#include "llvm/CodeGen/MachineFunctionPass.h"
#include "llvm/CodeGen/MachineInstrBuilder.h"
#include "llvm/CodeGen/MachineRegisterInfo.h"
#include "llvm/CodeGen/Passes.h"
#include "llvm/CodeGen/TargetInstrInfo.h"
#include "llvm/CodeGen/TargetPassConfig.h"
#include "llvm/CodeGen/TargetSubtargetInfo.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Target/RegisterTargetPassConfigCallback.h"

#include <array>
#include <optional>

using namespace llvm;

namespace {

// The backend's own headers are not installed, but its instructions have names.
unsigned opcodeOf(const TargetInstrInfo &Instructions, StringRef Name) {
  for (unsigned Opcode = 0; Opcode < Instructions.getNumOpcodes(); ++Opcode)
    if (Instructions.getName(Opcode) == Name)
      return Opcode;
  report_fatal_error("sbf-legalize: the backend has no instruction " + Twine(Name), /*gen_crash_diag=*/false);
}

struct ImmediateStores : MachineFunctionPass {
  static char ID;
  ImmediateStores() : MachineFunctionPass(ID) {}

  StringRef getPassName() const override { return "sBPF stores of immediates"; }

  bool runOnMachineFunction(MachineFunction &F) override {
    const TargetInstrInfo &Instructions = *F.getSubtarget().getInstrInfo();
    const MachineRegisterInfo &Registers = F.getRegInfo();
    const unsigned Move = opcodeOf(Instructions, "MOV_ri");
    static constexpr std::array<std::array<const char *, 2>, 4> Names = {
        {{"STB", "STB_imm"}, {"STH", "STH_imm"}, {"STW", "STW_imm"}, {"STD", "STD_imm"}}};
    bool Changed = false;
    for (auto [Name, Immediate] : Names) {
      const unsigned From = opcodeOf(Instructions, Name), To = opcodeOf(Instructions, Immediate);
      for (MachineBasicBlock &Block : F)
        for (MachineInstr &Store : Block)
          if (Store.getOpcode() == From && store(Store, Registers, Move)) {
            Store.setDesc(Instructions.get(To));
            Changed = true;
          }
    }
    return Changed;
  }

private:
  // Replaces the register that is stored, if it holds a constant; the move goes away with the backend's dead code.
  static bool store(MachineInstr &Store, const MachineRegisterInfo &Registers, unsigned Move) {
    MachineOperand &Value = Store.getOperand(0);
    if (!Value.isReg() || !Value.getReg().isVirtual())
      return false;
    const MachineInstr *Source = Registers.getVRegDef(Value.getReg());
    if (!Source || Source->getOpcode() != Move || !Source->getOperand(1).isImm())
      return false;
    const int64_t Constant = Source->getOperand(1).getImm();
    if (!isInt<32>(Constant))
      return false;
    Value.ChangeToImmediate(Constant);
    return true;
  }
};

char ImmediateStores::ID = 0;

RegisterTargetPassConfigCallback Insert([](TargetMachine &, PassManagerBase &, TargetPassConfig *Config) {
  Config->insertPass(&FinalizeISelID, new ImmediateStores());
});

} // namespace
