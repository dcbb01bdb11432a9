//! Nodules in the lungs.

use super::body::{Body, cavity, lobe, lungs, mediastinum};
use super::noise::Dice;
use super::shape::Shape;
use glam::Vec3;

/// Kinds of nodules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Solid,
    Spiculated,
    PartSolid,
    GroundGlass,
    Calcified,
    Juxtapleural,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Solid => "solid",
            Self::Spiculated => "solid_spiculated",
            Self::PartSolid => "part_solid",
            Self::GroundGlass => "ground_glass",
            Self::Calcified => "calcified",
            Self::Juxtapleural => "juxtapleural",
        }
    }
}

/// A nodule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nodule {
    pub(super) kind: Kind,
    pub(super) centre: Vec3,
    pub(super) diameter: f32,
    /// Diameter six months earlier, if it was there.
    pub(super) prior: Option<f32>,
    /// Label of the lobe, 1 to 5.
    pub(super) lobe: u8,
}

/// Kind, lobe, diameter now and before.
const NODULES: [(Kind, u8, f32, Option<f32>); 9] = [
    (Kind::Spiculated, 4, 16.0, Some(11.0)),
    (Kind::Solid, 1, 8.0, Some(8.0)),
    (Kind::GroundGlass, 3, 12.0, Some(12.0)),
    (Kind::PartSolid, 5, 14.0, Some(14.0)),
    (Kind::Calcified, 3, 5.0, Some(5.0)),
    (Kind::Juxtapleural, 5, 9.0, Some(9.0)),
    (Kind::Solid, 2, 4.0, Some(4.0)),
    (Kind::Solid, 1, 6.0, None),
    (Kind::GroundGlass, 4, 7.0, Some(7.0)),
];

/// Finds a place for every nodule.
pub(super) fn place(body: &Body, seed: u64) -> Vec<Nodule> {
    let mut dice = Dice::new(seed, 0x40D);
    let mut out: Vec<Nodule> = Vec::new();
    for (kind, wanted, diameter, prior) in NODULES {
        let r = diameter / 2.0;
        for _ in 0..60_000 {
            let side = if wanted >= 4 { 1.0 } else { -1.0 };
            let p = Vec3::new(side * dice.between(25.0, 125.0), dice.between(-75.0, 85.0), dice.between(110.0, 340.0));
            let depth = -lungs(body, p);
            let deep_enough = if kind == Kind::Juxtapleural {
                (r * 0.35..r * 0.6).contains(&depth) && -cavity(body, p) < r + 1.0
            } else {
                depth > r + 5.0
            };
            let (found, fissure) = lobe(body, p);
            let is_free = out.iter().all(|o| (o.centre - p).length() > 28.0) && mediastinum(body, p) > r + 9.0 && fissure > r + 3.0;
            if deep_enough && found == wanted && is_free {
                out.push(Nodule { kind, centre: p, diameter, prior, lobe: wanted });
                break;
            }
        }
    }
    out
}

/// Where the solid part of a nodule lies, in the present or earlier size.
pub(super) fn solid(nodule: &Nodule, diameter: f32) -> Vec<Shape> {
    let (c, r) = (nodule.centre, diameter / 2.0);
    match nodule.kind {
        Kind::GroundGlass => Vec::new(),
        Kind::PartSolid => vec![Shape::ellipsoid(c + Vec3::new(1.2, -0.8, 0.6), Vec3::new(3.2, 2.6, 2.9) * (diameter / 14.0))],
        Kind::Spiculated => {
            let mut dice = Dice::new(nodule.lobe.into(), 0x591C);
            let mut out = vec![Shape::ball(c, r)];
            for _ in 0..22 {
                let way = dice.in_ball().normalize_or(Vec3::X);
                let reach = r * dice.between(1.35, 2.0);
                out.push(Shape::rod(c + way * r * 0.7, c + way * reach, 0.85, 0.25));
            }
            out
        }
        Kind::Solid | Kind::Calcified | Kind::Juxtapleural => vec![Shape::ball(c, r)],
    }
}

/// The hazy part of a nodule.
pub(super) fn haze(nodule: &Nodule, diameter: f32) -> Vec<Shape> {
    match nodule.kind {
        Kind::GroundGlass | Kind::PartSolid => vec![Shape::ball(nodule.centre, diameter / 2.0)],
        _ => Vec::new(),
    }
}
