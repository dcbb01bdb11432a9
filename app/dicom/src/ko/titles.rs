//! Titles of key object selections.

use mj_model::Code;

/// Titles a person may give, in the order of lists. Source: PS3.16 CID 7010.
///
/// Those that say why images were rejected need a further code and are not among them; nor are the manifests of
/// systems.
#[must_use]
pub fn titles() -> Vec<Code> {
    [
        ("113000", "Of Interest", "值得关注"),
        ("113002", "For Referring Provider", "供申请医师参阅"),
        ("113003", "For Surgery", "供手术参考"),
        ("113004", "For Teaching", "教学用"),
        ("113005", "For Conference", "会诊讨论用"),
        ("113006", "For Therapy", "供治疗参考"),
        ("113007", "For Patient", "供患者"),
        ("113008", "For Peer Review", "供同行评议"),
        ("113009", "For Research", "科研用"),
        ("113018", "For Printing", "供打印"),
        ("113020", "For Report Attachment", "报告附图"),
        ("113021", "For Litigation", "供法律事务"),
    ]
    .into_iter()
    .map(|(code, en, zh)| Code::new("DCM", code, en, zh))
    .collect()
}

/// True for a title that stands only with a modifier: rejected for quality, quality issue, best in set.
///
/// Source: PS3.16 TID 2010, rows 2 and 3.
#[must_use]
pub fn needs_modifier(title: &Code) -> bool {
    title.scheme == "DCM" && matches!(title.code.as_str(), "113001" | "113010" | "113013")
}
