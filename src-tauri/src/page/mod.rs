//! What crosses to the page: types, the language catalogue and the theme, and their generated TypeScript.

pub mod dto;
pub mod generate;
pub mod ts;
