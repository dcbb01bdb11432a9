//! What is painted, in which order, with which values. Units: mm, HU.

use super::body::{self, Body};
use super::nodule::{self, Kind, Nodule};
use super::noise::Dice;
use super::shape::{RegionFn, Shape, bump, step};
use super::tree::{self, Branch};
use super::{abdomen, chest, skeleton};
use glam::Vec3;

/// How a form is filled.
#[derive(Clone, Copy)]
pub(super) enum Paint {
    /// One value with slow unevenness.
    Even { hu: f32, uneven: f32, period: f32 },
    /// Fat with strands.
    Fat(f32),
    /// Muscle in layers with fat between them.
    Muscle,
    /// Muscle with fat between its fibres.
    Marbled,
    /// Aerated lung with its fissures.
    Lung,
    /// A hard shell around a core with trabeculae.
    Bone { cortex: f32, core: f32, thick: f32 },
    /// Liver tumour: dark core, brighter rim.
    Tumour,
    /// What is in the bowel: stool and gas.
    Stool,
    /// Couch: a light core between two thin shells.
    Couch,
}

/// Forms that are painted as one.
pub(super) struct Group {
    pub(super) label: u8,
    pub(super) paint: Paint,
    /// Half width of the blurred edge. Units: mm.
    pub(super) edge: f32,
    pub(super) shapes: Vec<Shape>,
    /// Large and smooth: its distance may be interpolated between points a few voxels apart.
    pub(super) is_smooth: bool,
}

/// Half width of an edge as the scanner blurs it. Units: mm.
const EDGE: f32 = 0.8;

/// The vessels of the liver as courses with radii.
pub(super) struct LiverVessels {
    pub(super) portal: Vec<Branch>,
    pub(super) hepatic: Vec<Branch>,
}

/// Everything of one scan.
pub(super) struct Scene {
    pub(super) groups: Vec<Group>,
    pub(super) vessels: LiverVessels,
}

/// Label values of the truth.
pub(super) mod label {
    pub(in super::super) const TRACHEA: u8 = 6;
    pub(in super::super) const HEART: u8 = 7;
    pub(in super::super) const AORTA: u8 = 8;
    pub(in super::super) const PULMONARY_ARTERY: u8 = 9;
    pub(in super::super) const SVC: u8 = 10;
    pub(in super::super) const IVC: u8 = 11;
    pub(in super::super) const OESOPHAGUS: u8 = 12;
    pub(in super::super) const LIVER: u8 = 13;
    pub(in super::super) const PORTAL: u8 = 14;
    pub(in super::super) const HEPATIC: u8 = 15;
    pub(in super::super) const TUMOUR: u8 = 16;
    pub(in super::super) const GALLBLADDER: u8 = 17;
    pub(in super::super) const SPLEEN: u8 = 18;
    pub(in super::super) const RIGHT_KIDNEY: u8 = 19;
    pub(in super::super) const LEFT_KIDNEY: u8 = 20;
    pub(in super::super) const STOMACH: u8 = 21;
    pub(in super::super) const VERTEBRAE: u8 = 22;
    pub(in super::super) const RIBS: u8 = 23;
    pub(in super::super) const STERNUM: u8 = 24;
    pub(in super::super) const SCAPULA: u8 = 25;
    pub(in super::super) const CANAL: u8 = 26;
    pub(in super::super) const NODULE: u8 = 27;
    pub(in super::super) const PANCREAS: u8 = 28;
    pub(in super::super) const COLON: u8 = 29;
    /// Lungs: the lobe (1 to 5) is found by position.
    pub(in super::super) const LUNG: u8 = 254;
    /// Leaves the label that is there: vessels inside an organ.
    pub(in super::super) const KEEP: u8 = 255;
}

struct Painter {
    groups: Vec<Group>,
}

impl Painter {
    fn region(&mut self, label: u8, paint: Paint, f: RegionFn) {
        self.groups.push(Group { label, paint, edge: EDGE, shapes: vec![Shape::Region(f)], is_smooth: true });
    }
    /// A region with thin parts, evaluated at every voxel.
    fn fine_region(&mut self, label: u8, paint: Paint, f: RegionFn) {
        self.groups.push(Group { label, paint, edge: EDGE, shapes: vec![Shape::Region(f)], is_smooth: false });
    }
    fn shapes(&mut self, label: u8, paint: Paint, shapes: Vec<Shape>) {
        if !shapes.is_empty() {
            self.groups.push(Group { label, paint, edge: EDGE, shapes, is_smooth: false });
        }
    }
}

const fn even(hu: f32) -> Paint {
    Paint::Even { hu, uneven: 3.0, period: 9.0 }
}

/// The body of one scan: the same seed gives the same body, whichever nodules it has.
pub(super) fn build(body: &Body, seed: u64, nodules: &[Nodule], is_prior: bool) -> Scene {
    let mut painter = Painter { groups: Vec::new() };
    let vessels = liver_vessels(body, seed);
    painter.region(0, Paint::Couch, couch);
    painter.region(0, even(45.0), body::skin);
    painter.region(0, Paint::Fat(-104.0), body::under_skin);
    painter.region(0, Paint::Muscle, body::muscle);
    painter.region(0, Paint::Fat(-100.0), body::armpits);
    belly(&mut painter, body, seed, &vessels);
    lungs(&mut painter, body, seed, nodules, is_prior);
    bones(&mut painter, body);
    Scene { groups: painter.groups, vessels }
}

fn belly(p: &mut Painter, _body: &Body, seed: u64, vessels: &LiverVessels) {
    let rods = |branches: &[Branch]| branches.iter().map(|b| b.rod(1.0, 0.0)).collect::<Vec<_>>();
    p.region(0, Paint::Fat(-106.0), body::belly);
    p.shapes(0, even(138.0), abdomen::mesentery(seed));
    p.shapes(0, Paint::Marbled, abdomen::psoas());
    p.shapes(0, even(78.0), abdomen::adrenals());
    p.shapes(0, even(92.0), abdomen::small_bowel(seed, 0.0));
    p.shapes(0, Paint::Even { hu: 32.0, uneven: 26.0, period: 7.0 }, abdomen::small_bowel(seed, -2.6));
    p.shapes(label::COLON, even(82.0), abdomen::colon(0.0));
    p.shapes(0, Paint::Stool, abdomen::colon(-2.2));
    p.shapes(label::PANCREAS, Paint::Even { hu: 92.0, uneven: 22.0, period: 4.5 }, abdomen::pancreas());
    p.region(label::RIGHT_KIDNEY, even(192.0), abdomen::kidney);
    p.region(label::KEEP, Paint::Even { hu: 158.0, uneven: 14.0, period: 7.0 }, abdomen::pyramids);
    p.region(0, Paint::Even { hu: -62.0, uneven: 55.0, period: 5.0 }, abdomen::kidney_sinus);
    p.region(label::SPLEEN, even(124.0), abdomen::spleen);
    p.region(label::STOMACH, Paint::Even { hu: 84.0, uneven: 8.0, period: 5.0 }, abdomen::stomach);
    p.region(label::KEEP, Paint::Even { hu: 18.0, uneven: 14.0, period: 8.0 }, abdomen::stomach_content);
    p.fine_region(label::KEEP, Paint::Even { hu: -985.0, uneven: 0.0, period: 9.0 }, abdomen::stomach_air);
    p.region(label::LIVER, Paint::Even { hu: 112.0, uneven: 4.0, period: 6.0 }, abdomen::liver);
    p.region(label::GALLBLADDER, even(58.0), abdomen::gallbladder);
    p.region(label::GALLBLADDER, even(9.0), abdomen::bile);
    p.shapes(label::PORTAL, even(172.0), abdomen::portal_feeders());
    p.shapes(label::PORTAL, even(174.0), super::shape::tube(abdomen::PORTAL_TRUNK, 0.0));
    p.shapes(label::PORTAL, even(174.0), rods(&vessels.portal));
    p.shapes(label::HEPATIC, even(166.0), rods(&vessels.hepatic));
    p.region(label::TUMOUR, Paint::Tumour, abdomen::tumour);
    p.shapes(label::IVC, even(150.0), chest::lower_caval());
}

fn lungs(p: &mut Painter, body: &Body, seed: u64, nodules: &[Nodule], is_prior: bool) {
    let size = |n: &Nodule| if is_prior { n.prior } else { Some(n.diameter) };
    p.region(label::LUNG, Paint::Lung, body::lungs);
    let haze = nodules.iter().filter_map(|n| Some(nodule::haze(n, size(n)?))).flatten().collect();
    p.shapes(label::NODULE, Paint::Even { hu: -640.0, uneven: 45.0, period: 2.5 }, haze);
    let trees = lung_trees(body, seed);
    p.shapes(label::KEEP, even(140.0), trees.vessels);
    p.shapes(label::KEEP, even(-60.0), trees.walls);
    p.shapes(label::KEEP, Paint::Even { hu: -985.0, uneven: 0.0, period: 9.0 }, trees.lumina);
    p.region(0, Paint::Fat(-92.0), body::mediastinum);
    p.region(label::HEART, even(108.0), chest::heart);
    p.region(label::HEART, even(162.0), chest::chambers);
    p.shapes(0, even(65.0), lymph_nodes());
    p.shapes(label::OESOPHAGUS, even(58.0), chest::gullet());
    p.shapes(label::KEEP, even(-600.0), chest::gullet_air());
    p.shapes(label::IVC, even(150.0), chest::lower_caval().into_iter().filter(|s| s.reach().is_some_and(|(c, _)| c.z > 140.0)).collect());
    p.shapes(label::PULMONARY_ARTERY, even(160.0), chest::pulmonary_arteries());
    p.shapes(label::KEEP, even(162.0), chest::pulmonary_veins());
    p.shapes(label::SVC, even(158.0), chest::upper_caval());
    p.shapes(label::AORTA, even(164.0), chest::aorta());
    p.shapes(label::TRACHEA, even(35.0), chest::airways(1.5));
    p.shapes(label::TRACHEA, Paint::Even { hu: -992.0, uneven: 0.0, period: 9.0 }, chest::airways(0.0));
    thyroid(p);
    for n in nodules {
        let Some(diameter) = size(n) else { continue };
        let hu = match n.kind {
            Kind::Calcified => 380.0,
            Kind::PartSolid => 10.0,
            _ => 38.0,
        };
        p.shapes(label::NODULE, Paint::Even { hu, uneven: 8.0, period: 3.0 }, nodule::solid(n, diameter));
    }
}

/// The lower ends of the thyroid gland, bright from its iodine.
fn thyroid(p: &mut Painter) {
    let lobe = |s: f32| Shape::organ(Vec3::new(s * 15.0, 4.0, 382.0), Vec3::new(0.0, 0.2, 1.0), Vec3::new(24.0, 9.0, 8.0), 0.8, 8.0);
    p.shapes(0, even(165.0), vec![lobe(-1.0), lobe(1.0)]);
}

/// Small lymph nodes as everybody has them.
fn lymph_nodes() -> Vec<Shape> {
    let node = |x, y, z, r| Shape::organ(Vec3::new(x, y, z), Vec3::new(0.3, 0.4, 1.0), Vec3::new(r * 1.5, r, r * 0.8), 0.4, 4.0);
    vec![
        node(-14.0, 18.0, 285.0, 3.2),
        node(12.0, 26.0, 268.0, 3.5),
        node(22.0, -2.0, 280.0, 2.8),
        node(-4.0, 44.0, 255.0, 3.2),
        node(-12.0, -34.0, 296.0, 2.4),
    ]
}

fn bones(p: &mut Painter, body: &Body) {
    p.region(0, Paint::Marbled, skeleton::back_muscles);
    let (ribs, cartilage) = skeleton::ribs(body);
    let bone = |cortex: f32, core: f32, thick: f32| Paint::Bone { cortex, core, thick };
    p.shapes(0, Paint::Even { hu: 105.0, uneven: 14.0, period: 4.0 }, cartilage);
    p.fine_region(label::SCAPULA, bone(820.0, 240.0, 1.2), skeleton::scapulae);
    p.shapes(label::SCAPULA, bone(860.0, 260.0, 1.4), skeleton::shoulders());
    p.shapes(label::RIBS, bone(880.0, 210.0, 1.2), ribs);
    p.fine_region(label::STERNUM, bone(560.0, 150.0, 1.0), skeleton::sternum);
    p.region(0, even(84.0), skeleton::discs);
    p.fine_region(label::VERTEBRAE, bone(560.0, 205.0, 1.1), skeleton::vertebral_bodies);
    p.shapes(label::VERTEBRAE, bone(800.0, 280.0, 1.3), skeleton::processes(body));
    p.region(label::CANAL, Paint::Fat(-70.0), skeleton::canal_fat);
    p.region(label::CANAL, even(28.0), skeleton::dural_sac);
}

/// Distance into the couch, a gently hollow board under the back.
fn couch(_: &Body, p: Vec3) -> f32 {
    let t = couch_depth(p);
    (-t).max(t - 24.0)
}

fn couch_depth(p: Vec3) -> f32 {
    p.y - (133.0 - p.x * p.x / 1150.0)
}

struct LungTrees {
    vessels: Vec<Shape>,
    walls: Vec<Shape>,
    lumina: Vec<Shape>,
}

/// The lobes' roots: artery, vein and bronchus go on from here.
const ROOTS: [(u8, Vec3); 5] = [
    (1, Vec3::new(-54.0, 16.0, 264.0)),
    (2, Vec3::new(-54.0, -12.0, 226.0)),
    (3, Vec3::new(-52.0, 28.0, 222.0)),
    (4, Vec3::new(56.0, 2.0, 256.0)),
    (5, Vec3::new(55.0, 32.0, 222.0)),
];

fn lung_trees(body: &Body, seed: u64) -> LungTrees {
    let mut out = LungTrees { vessels: Vec::new(), walls: Vec::new(), lumina: Vec::new() };
    for (lobe, root) in ROOTS {
        let n = if lobe == 2 { 300 } else { 620 };
        let side = if lobe >= 4 { 1.0 } else { -1.0 };
        let mut dice = Dice::new(seed, 0x7EE + u64::from(lobe));
        let ends = |n: usize, depth: f32, dice: &mut Dice| {
            scatter(n, dice, [Vec3::new(18.0 * side, -90.0, 80.0), Vec3::new(138.0 * side, 100.0, 362.0)], |p| {
                body::lungs(body, p) < -depth && body::lobe(body, p).0 == lobe && body::mediastinum(body, p) > 4.0
            })
        };
        let artery_start = Vec3::new(46.0 * side, 12.0, if side > 0.0 { 257.0 } else { 248.0 });
        let vein_start = match lobe {
            1 | 2 => Vec3::new(-47.0, -6.0, 242.0),
            3 => Vec3::new(-47.0, 24.0, 208.0),
            4 => Vec3::new(51.0, -8.0, 246.0),
            _ => Vec3::new(51.0, 30.0, 208.0),
        };
        let bronchus_start = if side > 0.0 { Vec3::new(46.0, 22.0, 246.0) } else { Vec3::new(-38.0, 24.0, 250.0) };
        let artery = tree::grow(root + Vec3::new(0.0, -7.0, 5.0), &mut ends(n, 2.5, &mut dice), 0.48, &mut dice);
        let vein = tree::grow(root + Vec3::new(2.0 * side, -12.0, -9.0), &mut ends(n, 3.0, &mut dice), 0.46, &mut dice);
        let bronchi = tree::grow(root, &mut ends(n / 8, 20.0, &mut dice), 0.8, &mut dice);
        for (start, branches) in [(artery_start, &artery), (vein_start, &vein)] {
            if let Some(first) = branches.first() {
                out.vessels.push(Shape::rod(start, first.a, first.ra + 1.0, first.ra));
            }
            out.vessels.extend(branches.iter().map(|b| b.rod(1.0, 0.0)));
        }
        if let Some(first) = bronchi.first() {
            out.walls.push(Shape::rod(bronchus_start, first.a, first.ra + 1.9, first.ra + 1.3));
            out.lumina.push(Shape::rod(bronchus_start, first.a, first.ra + 0.6, first.ra));
        }
        out.walls.extend(bronchi.iter().map(|b| b.rod(1.22, 0.5)));
        out.lumina.extend(bronchi.iter().map(|b| b.rod(1.0, 0.0)));
    }
    out
}

fn liver_vessels(body: &Body, seed: u64) -> LiverVessels {
    let mut dice = Dice::new(seed, 0x11E);
    let free = |p: Vec3, depth: f32| abdomen::liver(body, p) < -depth && (p - abdomen::TUMOUR).length() > abdomen::TUMOUR_RADIUS + 4.0;
    let room = [Vec3::new(-135.0, -95.0, 20.0), Vec3::new(60.0, 75.0, 185.0)];
    let gate = Vec3::new(-24.0, 2.0, 92.0);
    let mut portal = Vec::new();
    // The right and the left branch leave the gate on their own.
    let ends = scatter(190, &mut dice, room, |p| free(p, 7.0));
    let (mut left, mut right): (Vec<_>, Vec<_>) = ends.into_iter().partition(|p| p.x > -34.0);
    for (via, ends) in [(Vec3::new(-52.0, -2.0, 100.0), &mut right), (Vec3::new(-8.0, -16.0, 108.0), &mut left)] {
        let branches = tree::grow(via, ends, 0.95, &mut dice);
        let r = branches.first().map_or(4.0, |b| b.ra);
        portal.push(Branch { a: gate, b: via, ra: 6.4_f32.min(r + 1.5), rb: r });
        portal.extend(branches);
    }
    // Three liver veins flow together at the lower caval vein under the diaphragm.
    let mouth = Vec3::new(-27.0, 15.0, 156.0);
    let ends = scatter(150, &mut dice, room, |p| free(p, 8.0) && p.z > 40.0);
    let sector = |p: &Vec3| {
        if p.x < -72.0 || p.y > 30.0 {
            0
        } else if p.x < -22.0 {
            1
        } else {
            2
        }
    };
    let mut hepatic = Vec::new();
    for (n, via) in [Vec3::new(-58.0, 22.0, 148.0), Vec3::new(-48.0, -12.0, 150.0), Vec3::new(-14.0, -12.0, 150.0)].into_iter().enumerate()
    {
        let mut part: Vec<Vec3> = ends.iter().copied().filter(|p| sector(p) == n).collect();
        let branches = tree::grow(via, &mut part, 1.0, &mut dice);
        let r = branches.first().map_or(3.5, |b| b.ra);
        hepatic.push(Branch { a: mouth, b: via, ra: r + 1.2, rb: r });
        hepatic.extend(branches);
    }
    LiverVessels { portal, hepatic }
}

/// Up to `n` even random points of a box that fulfil a condition.
fn scatter(n: usize, dice: &mut Dice, room: [Vec3; 2], fits: impl Fn(Vec3) -> bool) -> Vec<Vec3> {
    let mut out = Vec::with_capacity(n);
    for _ in 0..n * 60 {
        let [a, b] = room;
        let p = Vec3::new(dice.between(a.x, b.x), dice.between(a.y, b.y), dice.between(a.z, b.z));
        if fits(p) {
            out.push(p);
            if out.len() == n {
                break;
            }
        }
    }
    out
}

impl Paint {
    /// The value at a position whose distance to the form's surface is `d`. Units: HU.
    pub(super) fn hu(self, body: &Body, p: Vec3, d: f32) -> f32 {
        let noise = &body.noise;
        match self {
            Self::Even { hu, uneven, period } => {
                if uneven > 0.0 {
                    hu + uneven * noise.at(p / period)
                } else {
                    hu
                }
            }
            Self::Fat(hu) => {
                let strand = noise.at(p / 6.5);
                hu + 7.0 * noise.at(p / 17.0) + 34.0 * bump((strand / 0.05).powi(2))
            }
            Self::Muscle => {
                // Sheets of fat follow the surface, at uneven depths, and break off.
                let depth = -d / 15.0 + 1.7 * noise.at(p / 40.0) + 0.45 * noise.at(p / 15.0);
                let wave = (depth + 64.0).fract() - 0.5;
                let wide = 0.10 * step(0.0, 0.7, noise.at(p / Vec3::new(24.0, 24.0, 40.0) + Vec3::splat(7.7)));
                let sheet = bump((wave / wide.max(0.01)).powi(2)) * step(1.0, 3.5, -d);
                let grain = noise.at(p / Vec3::new(3.0, 3.0, 9.0));
                60.0 + 6.0 * grain - 118.0 * sheet
            }
            Self::Marbled => {
                let grain = noise.at(p / Vec3::new(3.0, 3.0, 14.0));
                let q = p / Vec3::new(13.0, 13.0, 40.0);
                let streak = bump(((noise.at(q) + 0.3 * noise.at(q * 2.9)) / 0.11).powi(2)) * step(-0.3, 0.5, noise.at(p / 30.0));
                57.0 + 8.0 * grain - 70.0 * streak * step(0.5, 3.0, -d)
            }
            Self::Lung => {
                let (_, fissure) = body::lobe(body, p);
                let weight = 30.0 * (p.y / 90.0) - 16.0 * ((p.z - 220.0) / 120.0);
                let tissue = 26.0 * noise.at(p / 1.7) + 16.0 * noise.at(p / 5.0) + 16.0 * noise.at(p / 26.0);
                -866.0 + weight + tissue + 150.0 * bump((fissure / 0.9).powi(2))
            }
            Self::Bone { cortex, core, thick } => {
                let inner = step(thick * 0.5, thick * 1.6, -d);
                let web = noise.at(p / 1.7) * 55.0 + noise.at(p / 7.0) * 40.0;
                cortex + (core + web - cortex) * inner
            }
            Self::Tumour => {
                let rim = step(-7.0, -1.0, d);
                48.0 + 32.0 * rim + 9.0 * noise.rough(p / 5.0)
            }
            Self::Stool => {
                let n = noise.rough(p / 8.0) - 0.012 * p.y.abs();
                let gas = step(-0.02, 0.10, n - if p.y < -45.0 { -0.35 } else { 0.1 });
                let stool = 40.0 + 120.0 * noise.rough(p / 3.0);
                stool + (-960.0 - stool) * gas
            }
            Self::Couch => {
                let t = couch_depth(p);
                let shell = bump(((t - 1.2) / 1.6).powi(2)) + bump(((t - 22.8) / 1.6).powi(2));
                -930.0 + 640.0 * shell.min(1.0)
            }
        }
    }
}
