// Rewrites LLVM IR that upstream's BPF backend refuses into IR that it accepts.
#pragma once

#include "llvm/ADT/StringRef.h"
#include "llvm/IR/Function.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"

namespace sbf {

// The virtual machine's name for where a program starts.
constexpr llvm::StringLiteral kEntrypoint = "entrypoint";

// Ends the build: what cannot be lowered must not become a program that misbehaves.
[[noreturn]] void fail(const llvm::Twine &Reason);

// A stack slot in the function's entry block, where slots cost nothing at run time.
llvm::AllocaInst *stackSlot(llvm::Function *F, llvm::Type *T, const llvm::Twine &Name);

// A call of a function that the runtime or compiler-builtins defines.
llvm::CallInst *callRuntime(llvm::IRBuilder<> &B, llvm::StringRef Name, llvm::Type *Result,
                            llvm::ArrayRef<llvm::Value *> Args);

// Each returns the value that replaces the instruction, or null if the backend takes it as it is.
llvm::Value *lowerInteger(llvm::Instruction &I);
llvm::Value *lowerFloat(llvm::Instruction &I);

// Replaces LLVM's trap, which is how a program stops, by the machine's system call for it; true if it did.
bool lowerTrap(llvm::Instruction &I);

// Replaces memory intrinsics of large or unknown length by calls; true if it did.
bool lowerMemory(llvm::Instruction &I);

// Moves results wider than a register and arguments beyond the fifth register to the stack.
void lowerCalls(llvm::Module &M);

// Gives mutable statics a place in the heap that the program's allocator never hands out.
void lowerStatics(llvm::Module &M);

} // namespace sbf
