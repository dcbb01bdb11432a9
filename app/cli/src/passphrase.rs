//! Where the passphrase comes from: a file, or a prompt; never an argument.

use crate::args::Args;
use crate::failure::Failure;
use mj_record::Passphrase;
use std::io::IsTerminal as _;

/// The passphrase of the record.
pub(crate) fn find(args: &Args) -> Result<Passphrase, Failure> {
    from_file(args)?.map_or_else(|| ask(args, &mj_lang::key::CLI_PASSPHRASE_PROMPT), Ok)
}

/// The passphrase of a record about to be made: typed twice, since a slip of the finger would lock it for ever.
pub(crate) fn choose(args: &Args) -> Result<Passphrase, Failure> {
    if let Some(given) = from_file(args)? {
        return Ok(given);
    }
    let first = ask(args, &mj_lang::key::CLI_PASSPHRASE_PROMPT)?;
    agreed(first, &ask(args, &mj_lang::key::CLI_PASSPHRASE_AGAIN)?)
}

fn agreed(first: Passphrase, second: &Passphrase) -> Result<Passphrase, Failure> {
    if first.is_same(second) { Ok(first) } else { Err(Failure::PassphrasesDiffer) }
}

fn from_file(args: &Args) -> Result<Option<Passphrase>, Failure> {
    Ok(args.passphrase_file.as_deref().map(Passphrase::from_file).transpose()?)
}

fn ask(args: &Args, prompt: &mj_lang::Text) -> Result<Passphrase, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::NoPassphrase);
    }
    let typed = rpassword::prompt_password(prompt.get(args.lang())).map_err(Failure::Prompt)?;
    Ok(Passphrase::new(typed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_passphrase_is_typed_twice_alike() {
        let typed = |text: &str| Passphrase::new(text).unwrap();
        assert!(agreed(typed("correct horse"), &typed("correct horse")).is_ok());
        assert!(matches!(agreed(typed("correct horse"), &typed("correct hrose")), Err(Failure::PassphrasesDiffer)));
    }
}
