//! Typesetting of reports and plans as PDF.
