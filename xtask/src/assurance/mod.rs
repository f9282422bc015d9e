use crate::{build, shell::Shell};
pub fn run(shell: &Shell, _coverage: bool) -> anyhow::Result<()> {
    println!("{:?}", build::program_with_lines(shell)?);
    Ok(())
}
