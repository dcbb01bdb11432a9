//! Where the passphrase comes from: a file, or a prompt; never an argument.

use crate::args::Args;
use crate::failure::Failure;
use mj_record::Passphrase;
use std::io::IsTerminal as _;

/// The passphrase of the record.
pub(crate) fn find(args: &Args) -> Result<Passphrase, Failure> {
    if let Some(path) = &args.passphrase_file {
        return Ok(Passphrase::from_file(path)?);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::NoPassphrase);
    }
    let prompt = mj_lang::key::CLI_PASSPHRASE_PROMPT.get(args.lang());
    let typed = rpassword::prompt_password(prompt).map_err(Failure::Prompt)?;
    Ok(Passphrase::new(typed)?)
}
