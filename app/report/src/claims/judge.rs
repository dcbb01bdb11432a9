//! What is said of a finding against what is known of it.

use super::lexicon::{Change, Lexicon, Meaning};
use super::parse::{Presence, Said, Size, Span, Where};
use super::words::{comparable, scan};
use mj_model::code::known;
use mj_model::{Finding, Side, Unit};
use sha2::{Digest, Sha256};

/// How a sentence and the finding it speaks of differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Conflict {
    /// The finding was rejected or taken back.
    Gone,
    /// The text says it is not there.
    Denied,
    /// The text names something else.
    Kind,
    /// The text names the other side.
    Side,
    /// The text names another part of the body.
    Place,
    /// The text says another number.
    Number(Size),
    /// The text says the number in another unit.
    Unit(Size),
    /// The text says another course than the two measurements.
    Course {
        /// Length at the earlier examination. Units: mm.
        before_mm: f64,
        /// Length now. Units: mm.
        now_mm: f64,
    },
}

/// What the lexicon makes of a finding.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts<'a> {
    pub finding: &'a Finding,
    /// Names and families of what it may be called; empty for one that nobody classified.
    pub kinds: Vec<(String, String)>,
    pub places: Vec<String>,
    pub side: Side,
    /// Its lengths. Units: mm.
    pub lengths_mm: Vec<f64>,
    /// The longest length of the same lesion at an earlier examination. Units: mm.
    pub before_mm: Option<f64>,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(finding: &'a Finding, priors: &[Finding], lexicon: &Lexicon) -> Self {
        let mut facts =
            Self { finding, kinds: Vec::new(), places: Vec::new(), side: finding.side, lengths_mm: lengths_mm(finding), before_mm: None };
        let site = finding.site.as_ref();
        let names =
            [Some(&finding.kind), site].into_iter().flatten().flat_map(|code| [&code.name_zh, &code.name_en]).chain(finding.label.as_ref());
        for name in names {
            facts.learn(name, lexicon, finding.side == Side::None);
        }
        if finding.kind.is_same(&known::unclassified_finding()) {
            facts.kinds.clear();
        }
        let earlier = priors.iter().filter(|p| p.tracking_uid == finding.tracking_uid && p.study != finding.study && p.is_live());
        facts.before_mm = earlier.filter_map(|p| longest(&lengths_mm(p))).next_back();
        facts
    }

    fn learn(&mut self, name: &str, lexicon: &Lexicon, takes_side: bool) {
        let text = comparable(name);
        for token in scan(lexicon, &text, (0, text.len())) {
            match token.meaning {
                Meaning::Finding(at) => {
                    let Some(concept) = lexicon.concept(at) else { continue };
                    let word = text.get(token.start..token.end).unwrap_or_default();
                    self.kinds.push((lexicon.kind_of(concept, word), concept.family.clone()));
                    self.places.extend(concept.site.clone());
                }
                Meaning::Place(at) => {
                    let Some(place) = lexicon.place(at) else { continue };
                    self.places.push(place.id.clone());
                    if takes_side && place.side != Side::None && self.side == Side::None {
                        self.side = place.side;
                    }
                }
                Meaning::Side(side) if takes_side => self.side = side,
                Meaning::Side(_) | Meaning::Cue(_) => {}
            }
        }
        // The smallest part is where it is; the organ around it says no more.
        let all = self.places.clone();
        self.places.retain(|id| !all.iter().any(|other| other != id && lexicon.line(other).any(|part| part == id)));
    }

    /// How close a name is: 2 the same or a wider one, 1 one of its family or not classified, 0 another thing.
    pub(crate) fn kind_agrees(&self, said: &Said) -> u8 {
        let lexicon = Lexicon::builtin();
        if self.kinds.iter().any(|(id, _)| lexicon.is_kind(id, &said.kind)) {
            2
        } else {
            u8::from(self.kinds.is_empty() || self.kinds.iter().any(|(_, family)| *family == said.family))
        }
    }

    /// Whether the part of the body agrees; `None` when one of the two does not say.
    pub(crate) fn place_agrees(&self, said: &Said, lexicon: &Lexicon) -> Option<bool> {
        let wheres: Vec<&Where> = said.wheres.iter().filter(|w| !w.places.iter().all(|p| lexicon.is_generic(p))).collect();
        if self.places.is_empty() || wheres.is_empty() {
            return None;
        }
        Some(wheres.iter().any(|w| self.is_there(w, lexicon)))
    }

    /// True when the finding lies in a place: every part that is named is its own or one around it, and the side is not another.
    pub(crate) fn is_within(&self, place: &Where) -> bool {
        let lexicon = Lexicon::builtin();
        let holds = |a: &String| self.places.iter().any(|b| lexicon.line(b).any(|part| part == a));
        let side = place.side == Side::None || self.side == Side::None || place.side == self.side || place.side == Side::Both;
        !place.places.is_empty() && place.places.iter().all(holds) && side
    }

    /// Every part that is named fits; tissues that are everywhere count only where nothing else is named.
    fn is_there(&self, place: &Where, lexicon: &Lexicon) -> bool {
        let named = |list: &[String]| list.iter().any(|p| !lexicon.is_tissue(p));
        let counts = |p: &&String| !(lexicon.is_generic(p) || lexicon.is_tissue(p) && named(&place.places));
        let fits = |a: &String| self.places.iter().filter(|b| !(lexicon.is_tissue(b) && named(&self.places))).any(|b| lexicon.agree(a, b));
        place.places.iter().filter(counts).all(fits)
    }

    /// Whether the side agrees; `None` when one of the two does not say.
    pub(crate) fn side_agrees(&self, said: &Said, lexicon: &Lexicon) -> Option<bool> {
        let one = |side: Side| match (side, self.side) {
            (Side::None, _) | (_, Side::None) => None,
            (Side::Both, Side::Left | Side::Right) => Some(said.is_several),
            (_, Side::Both) => Some(true),
            (a, b) => Some(a == b),
        };
        // Of several places only those count in which the finding may lie.
        let there: Vec<&Where> =
            said.wheres.iter().filter(|w| w.places.is_empty() || self.places.is_empty() || self.is_there(w, lexicon)).collect();
        let of = if there.is_empty() { said.wheres.iter().collect() } else { there };
        let sides: Vec<bool> = of.iter().filter_map(|w| one(w.side)).collect();
        if sides.is_empty() { None } else { Some(sides.contains(&true)) }
    }

    /// The sizes of a sentence that none of the lengths is, as it would be rounded.
    pub(crate) fn size_conflicts(&self, said: &Said) -> Vec<Conflict> {
        if self.lengths_mm.is_empty() || said.is_several {
            return Vec::new();
        }
        let is_measured = |size: &Size| self.lengths_mm.iter().any(|mm| (mm - size.mm).abs() <= size.half_digit_mm * 1.001 + 1e-9);
        let largest = said.sizes.iter().map(|s| s.mm).fold(0.0, f64::max);
        let more_than_measured = said.sizes.len() > self.lengths_mm.len();
        let wrong = said.sizes.iter().filter(|size| !(is_measured(size) || more_than_measured && size.mm < largest));
        wrong.map(|size| if self.is_other_unit(size) { Conflict::Unit(*size) } else { Conflict::Number(*size) }).collect()
    }

    /// A size with the unit of a volume or a density: its digits are those of a length.
    fn unit_conflicts(&self, said: &Said) -> Vec<Conflict> {
        let is_length = |o: &&super::parse::OtherUnit| self.lengths_mm.iter().any(|mm| (mm - o.value).abs() <= o.half_digit * 1.001 + 1e-9);
        let as_size = |o: &super::parse::OtherUnit| Conflict::Unit(Size { span: o.span, mm: o.value, half_digit_mm: o.half_digit });
        said.others.iter().filter(is_length).map(as_size).collect()
    }

    /// True when a sentence with another name speaks of this finding all the same: it lies in its place, and one of its sizes is
    /// one of its lengths, or would be in another unit.
    pub(crate) fn is_described_by(&self, said: &Said, lexicon: &Lexicon) -> bool {
        let is_measured = |size: &Size| self.lengths_mm.iter().any(|mm| (mm - size.mm).abs() <= size.half_digit_mm * 1.001 + 1e-9);
        let is_its_size =
            said.sizes.iter().any(|size| is_measured(size) || self.is_other_unit(size)) || !self.unit_conflicts(said).is_empty();
        !said.is_several && self.place_agrees(said, lexicon) == Some(true) && self.side_agrees(said, lexicon) != Some(false) && is_its_size
    }

    /// The same digits in a unit ten times as large or small.
    fn is_other_unit(&self, size: &Size) -> bool {
        [10.0, 0.1].iter().any(|factor| self.lengths_mm.iter().any(|mm| (mm * factor - size.mm).abs() <= size.half_digit_mm * 1.001 + 1e-9))
    }

    /// True when the finding knows what a sentence says of it: its name as such and not one of its family, and a course only
    /// where there is an earlier measurement that shows it.
    pub(crate) fn bears_out(&self, said: &Said) -> bool {
        // The sizes of several findings are not those of one.
        let alone = Said { is_several: false, ..said.clone() };
        let is_measured = !said.is_several || said.names_largest || self.size_conflicts(&alone).is_empty();
        let is_named = is_measured && (self.kinds.is_empty() || self.kind_agrees(said) == 2);
        let Some(change) = said.change else { return is_named };
        let grown = self.before_mm.and_then(|before| Some(longest(&self.lengths_mm)? - before));
        let is_shown = match (change, grown) {
            // That nobody measured it before does not say that it was not there.
            (Change::Larger, Some(grown)) => grown > 0.0,
            (Change::Smaller, Some(grown)) => grown < 0.0,
            (Change::Stable, Some(_)) => true,
            (Change::New | Change::Larger | Change::Smaller | Change::Stable | Change::Resolved, _) => false,
        };
        is_named && is_shown
    }

    /// Everything in which a sentence differs from the finding.
    pub(crate) fn conflicts(&self, said: &Said, lexicon: &Lexicon) -> Vec<Conflict> {
        if !self.finding.is_live() {
            return vec![Conflict::Gone];
        }
        if said.presence == Presence::Absent {
            return vec![Conflict::Denied];
        }
        let mut out = Vec::new();
        if self.kind_agrees(said) == 0 {
            out.push(Conflict::Kind);
        }
        if self.side_agrees(said, lexicon) == Some(false) {
            out.push(Conflict::Side);
        }
        if self.place_agrees(said, lexicon) == Some(false) {
            out.push(Conflict::Place);
        }
        out.extend(self.size_conflicts(said));
        out.extend(self.unit_conflicts(said));
        out.extend(self.course_conflict(said));
        out
    }

    /// A course against two measurements. Lengths differ from reader to reader: only what lies beyond 2 mm (Fleischner 2017)
    /// and a tenth contradicts.
    fn course_conflict(&self, said: &Said) -> Option<Conflict> {
        let (before_mm, now_mm) = (self.before_mm?, longest(&self.lengths_mm)?);
        let grown = now_mm - before_mm;
        let is_beyond = grown.abs() >= 2.0 && grown.abs() >= 0.1 * before_mm;
        let contradicts = match said.change? {
            Change::New | Change::Resolved => true,
            Change::Larger => grown < 0.0 && is_beyond,
            Change::Smaller => grown > 0.0 && is_beyond,
            Change::Stable => is_beyond,
        };
        contradicts.then_some(Conflict::Course { before_mm, now_mm })
    }
}

fn longest(lengths_mm: &[f64]) -> Option<f64> {
    lengths_mm.iter().copied().reduce(f64::max)
}

/// The lengths of a finding. Units: mm.
fn lengths_mm(finding: &Finding) -> Vec<f64> {
    finding.measurements.iter().filter(|m| m.quantity.unit == Unit::mm()).map(|m| m.quantity.value).collect()
}

/// Where the words of a sentence stand that a conflict is about.
#[must_use]
pub fn place_of(conflict: &Conflict, said: &Said) -> Span {
    match conflict {
        Conflict::Side => said.side_at.unwrap_or(said.what),
        Conflict::Place => said.at.unwrap_or(said.what),
        Conflict::Number(size) | Conflict::Unit(size) => size.span,
        Conflict::Gone => said.span,
        Conflict::Kind | Conflict::Denied | Conflict::Course { .. } => said.what,
    }
}

/// What a finding is, in a few characters: its kind, place, side, series, numbers and shape. Two revisions with the same
/// ground differ in nothing that a sentence could speak of.
#[must_use]
pub fn ground(finding: &Finding) -> String {
    let numbers: Vec<_> = finding.measurements.iter().map(|m| (&m.id, m.quantity.value.to_bits(), &m.quantity.unit.0)).collect();
    let site = finding.site.as_ref().map(|site| (&site.scheme, &site.code));
    let what = (&finding.kind.scheme, &finding.kind.code, site, finding.side, finding.study.as_str(), finding.series.as_str());
    // Geometry holds numbers only; what cannot be written down is the same as another that cannot.
    let bytes = serde_json::to_vec(&(what, numbers, &finding.geometry)).unwrap_or_default();
    short_hash(&bytes)
}

pub(crate) fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
