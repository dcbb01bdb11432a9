//! A small generator of TypeScript types: what crosses to the page is declared once, in Rust.

use mj_model::Phi;

/// A type the page knows by name.
pub trait Ts {
    /// Its name in TypeScript.
    fn name() -> String;
    /// Its declaration; empty for types that TypeScript has itself.
    fn declaration() -> String {
        String::new()
    }
}

macro_rules! plain {
    ($($t:ty => $name:literal),* $(,)?) => { $(impl Ts for $t { fn name() -> String { $name.into() } })* };
}
plain!(String => "string", bool => "boolean", u32 => "number", u64 => "number", i64 => "number", usize => "number", f64 => "number",
    mj_model::Lang => "Lang", mj_model::Told => "Told", mj_report::Document => "Document", mj_report::Op => "Op");

impl<T: Ts> Ts for Option<T> {
    fn name() -> String {
        format!("{} | null", T::name())
    }
}

impl<T: Ts> Ts for Vec<T> {
    fn name() -> String {
        let inner = T::name();
        if inner.contains(' ') { format!("({inner})[]") } else { format!("{inner}[]") }
    }
}

impl<T: Ts> Ts for Phi<T> {
    fn name() -> String {
        T::name()
    }
}

/// `SomeName` as `some_name`, as serde writes variants.
#[must_use]
pub fn snake(name: &str) -> String {
    let mut out = String::new();
    for (at, c) in name.char_indices() {
        if c.is_uppercase() && at > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// Documentation lines as one comment.
#[must_use]
pub fn comment(indent: &str, lines: &[&str]) -> String {
    let text = lines.iter().map(|l| l.trim()).collect::<Vec<_>>().join(" ");
    if text.is_empty() { String::new() } else { format!("{indent}/** {text} */\n") }
}

/// Declares what crosses to the page: the Rust type, its serde form and its TypeScript form at once.
///
/// `struct` becomes an interface, `words` a union of strings, `tagged` a union told apart by `type`.
macro_rules! dto {
    ($(#[doc = $d:literal])* struct $name:ident { $($(#[doc = $fd:literal])* $f:ident : $t:ty),* $(,)? }) => {
        $(#[doc = $d])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name { $($(#[doc = $fd])* pub $f: $t),* }
        impl $crate::page::ts::Ts for $name {
            fn name() -> String { stringify!($name).into() }
            fn declaration() -> String {
                let mut out = $crate::page::ts::comment("", &[$($d),*]);
                out.push_str(concat!("export interface ", stringify!($name), " {\n"));
                $(
                    out.push_str(&$crate::page::ts::comment("  ", &[$($fd),*]));
                    out.push_str(&format!("  {}: {};\n", stringify!($f), <$t as $crate::page::ts::Ts>::name()));
                )*
                out + "}\n"
            }
        }
    };
    ($(#[doc = $d:literal])* words $name:ident { $($(#[doc = $vd:literal])* $v:ident),* $(,)? }) => {
        $(#[doc = $d])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[doc = $vd])* $v),* }
        impl $crate::page::ts::Ts for $name {
            fn name() -> String { stringify!($name).into() }
            fn declaration() -> String {
                let words = [$($crate::page::ts::snake(stringify!($v))),*].map(|w| format!("\"{w}\"")).join(" | ");
                format!("{}export type {} = {words};\n", $crate::page::ts::comment("", &[$($d),*]), stringify!($name))
            }
        }
    };
    ($(#[doc = $d:literal])* tagged $name:ident { $($(#[doc = $vd:literal])* $v:ident { $($(#[doc = $fd:literal])* $f:ident : $t:ty),* $(,)? }),* $(,)? }) => {
        $(#[doc = $d])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        #[expect(missing_docs, reason = "each variant is documented, and its fields are named after what they hold")]
        pub enum $name { $($(#[doc = $vd])* $v { $($(#[doc = $fd])* $f: $t),* }),* }
        impl $crate::page::ts::Ts for $name {
            fn name() -> String { stringify!($name).into() }
            fn declaration() -> String {
                let mut out = $crate::page::ts::comment("", &[$($d),*]);
                out.push_str(concat!("export type ", stringify!($name), " =\n"));
                let variants: Vec<String> = vec![$({
                    let fields: Vec<String> = vec![
                        format!("type: \"{}\"", $crate::page::ts::snake(stringify!($v))),
                        $(format!("{}: {}", stringify!($f), <$t as $crate::page::ts::Ts>::name())),*
                    ];
                    format!("{}  | {{ {} }}", $crate::page::ts::comment("  ", &[$($vd),*]), fields.join("; "))
                }),*];
                out + &variants.join("\n") + ";\n"
            }
        }
    };
}
pub(crate) use dto;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(snake("StudyShown"), "study_shown");
        assert_eq!(<Vec<Option<String>>>::name(), "(string | null)[]");
    }
}
