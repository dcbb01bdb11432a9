//! While the planning room is being written beside the rest, the viewer builds without it.

fn main() {
    println!("cargo::rerun-if-env-changed=MJ_WITHOUT_PLANNING");
    println!("cargo::rerun-if-changed=src/planning");
    println!("cargo::rustc-check-cfg=cfg(mj_without_planning)");
    let is_whole = std::fs::read_to_string("src/planning/mod.rs").is_ok_and(|text| {
        let names = text.lines().filter_map(|line| line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';'));
        names.into_iter().all(|name| std::path::Path::new(&format!("src/planning/{name}.rs")).exists())
    });
    if !is_whole || std::env::var_os("MJ_WITHOUT_PLANNING").is_some() {
        println!("cargo::rustc-cfg=mj_without_planning");
    }
}
