//! The triangles of each of the 256 ways in which a cell's corners can lie inside or outside.
//!
//! The table is derived, not typed: on each face of the cell the crossed edges are joined (inside corners that
//! face each other diagonally stay apart, a rule that both cells of a face see alike), the joints close to
//! loops, and the loops are divided into triangles.

use std::sync::OnceLock;

/// Triangles of one case; the numbers are edges.
pub(super) type Case = Vec<[u8; 3]>;

/// The cell's edges: the corner they leave and the axis they run along. Corner `c` lies at
/// `(c & 1, c >> 1 & 1, c >> 2)`.
pub(super) const EDGES: [([isize; 3], usize); 12] = [
    ([0, 0, 0], 0),
    ([0, 1, 0], 0),
    ([0, 0, 1], 0),
    ([0, 1, 1], 0),
    ([0, 0, 0], 1),
    ([1, 0, 0], 1),
    ([0, 0, 1], 1),
    ([1, 0, 1], 1),
    ([0, 0, 0], 2),
    ([1, 0, 0], 2),
    ([0, 1, 0], 2),
    ([1, 1, 0], 2),
];

/// Corners of each face, counter-clockwise seen from outside the cell.
const FACES: [[usize; 4]; 6] = [[0, 4, 6, 2], [1, 3, 7, 5], [0, 1, 5, 4], [2, 6, 7, 3], [0, 2, 3, 1], [4, 5, 7, 6]];

/// The table, made at first use.
pub(super) fn cases() -> &'static [Case] {
    static TABLE: OnceLock<Vec<Case>> = OnceLock::new();
    TABLE.get_or_init(|| (0..256).map(case).collect())
}

fn case(inside: usize) -> Case {
    let is_in = |corner: usize| inside >> corner & 1 == 1;
    // Where a loop goes on from each crossed edge. Seen from outside the cell, walking round a face, the joint
    // runs from the edge where the walk enters the inside to the edge where it leaves it.
    let mut next = [None; 12];
    for face in FACES {
        for at in 0..4 {
            let (here, there) = (face[at], face[(at + 1) % 4]);
            if is_in(here) || !is_in(there) {
                continue;
            }
            // The walk enters at `there`; it leaves after the run of inside corners, which ends at the first
            // outside corner.
            let mut last = (at + 1) % 4;
            while is_in(face[(last + 1) % 4]) {
                last = (last + 1) % 4;
            }
            let leave = edge(face[last], face[(last + 1) % 4]);
            next[usize::from(edge(here, there))] = Some(leave);
        }
    }
    let mut out = Vec::new();
    for start in 0..12_u8 {
        let mut ring = Vec::new();
        let mut at = start;
        while let Some(to) = next[usize::from(at)].take() {
            ring.push(at);
            at = to;
        }
        out.extend(divide(&ring));
    }
    out
}

/// The edge between two neighbouring corners.
fn edge(a: usize, b: usize) -> u8 {
    let (low, axis) = (a.min(b), (a ^ b).trailing_zeros() as usize);
    let from = [low & 1, low >> 1 & 1, low >> 2].map(|v| v as isize);
    EDGES.iter().position(|e| *e == (from, axis)).unwrap_or_default() as u8
}

/// Divides a ring into triangles without a diagonal that lies in a face of the cell: the neighbouring cell
/// could have the same one, and four triangles would meet there.
fn divide(ring: &[u8]) -> Vec<[u8; 3]> {
    best(ring).map(|found| found.1).unwrap_or_default()
}

/// The division with the fewest diagonals in faces, and their number.
fn best(ring: &[u8]) -> Option<(usize, Vec<[u8; 3]>)> {
    let (&first, &last) = (ring.first()?, ring.last()?);
    if ring.len() < 3 {
        return Some((0, Vec::new()));
    }
    // The triangle over the side from the last to the first edge, with each possible third corner.
    (1..ring.len() - 1)
        .filter_map(|at| {
            let middle = ring[at];
            let (left, right) = (best(&ring[..=at])?, best(&ring[at..])?);
            let mut cost = left.0 + right.0;
            cost += usize::from(at > 1 && share_a_face(first, middle));
            cost += usize::from(at + 2 < ring.len() && share_a_face(middle, last));
            let mut triangles = left.1;
            triangles.push([first, middle, last]);
            triangles.extend(right.1);
            Some((cost, triangles))
        })
        .min_by_key(|found| found.0)
}

fn share_a_face(a: u8, b: u8) -> bool {
    let touches = |e: u8, face: &[usize; 4]| {
        let (from, axis) = EDGES[usize::from(e)];
        let corner = from.iter().enumerate().map(|(a, &v)| (v as usize) << a).sum::<usize>();
        face.contains(&corner) && face.contains(&(corner | 1 << axis))
    };
    FACES.iter().any(|face| touches(a, face) && touches(b, face))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_closes_and_no_diagonal_lies_in_a_face() {
        for (number, case) in cases().iter().enumerate() {
            let crossed = (0..12_u8).filter(|&e| {
                let (from, axis) = EDGES[usize::from(e)];
                let corner = from.iter().enumerate().map(|(a, &v)| (v as usize) << a).sum::<usize>();
                (number >> corner & 1) != (number >> (corner | 1 << axis) & 1)
            });
            for e in crossed {
                assert!(case.iter().any(|t| t.contains(&e)), "case {number} misses edge {e}");
            }
            // A diagonal is used once in each direction, a side once only, and a side lies in a face.
            for t in case {
                for (a, b) in [(t[0], t[1]), (t[1], t[2]), (t[2], t[0])] {
                    let uses = |p: (u8, u8)| case.iter().filter(|t| [(t[0], t[1]), (t[1], t[2]), (t[2], t[0])].contains(&p)).count();
                    assert_eq!(uses((a, b)), 1, "case {number}");
                    let is_diagonal = uses((b, a)) == 1;
                    assert_eq!(share_a_face(a, b), !is_diagonal, "case {number}, {a} to {b}");
                }
            }
        }
        assert_eq!(cases()[1].len(), 1);
        assert_eq!(cases()[15].len(), 2);
    }
}
