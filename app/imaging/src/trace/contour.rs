//! Outlines on a lattice by marching squares. Source: W. E. Lorensen, H. E. Cline, SIGGRAPH 1987, in two dimensions; ambiguous
//! cells by their mean.

use super::Trace;
use std::collections::BTreeMap;

/// The level between the largest value outside and the smallest inside.
const LEVEL: f64 = Trace::INSIDE as f64 - 0.5;

/// A place where the outline crosses a side between two lattice points: the first of them, and whether the side runs down.
type Side = (usize, bool);

/// The closed lines around what is inside, in lattice coordinates `[column, row]`. The outermost points must be out.
pub(super) fn lines(values: &[u8], [columns, rows]: [usize; 2]) -> Vec<Vec<[f64; 2]>> {
    if values.len() != columns * rows || columns < 2 || rows < 2 {
        return Vec::new();
    }
    let mut next: BTreeMap<Side, Side> = BTreeMap::new();
    for (row, (upper, lower)) in values.chunks_exact(columns).zip(values.chunks_exact(columns).skip(1)).enumerate() {
        for (column, (top, bottom)) in upper.windows(2).zip(lower.windows(2)).enumerate() {
            let corners = [top[0], top[1], bottom[1], bottom[0]];
            let inside = corners.map(|v| v >= Trace::INSIDE);
            if inside != [inside[0]; 4] {
                next.extend(pieces(corners, inside).into_iter().flatten().map(|(from, to)| {
                    let side = |n: usize| side_of(n, row * columns + column, columns);
                    (side(from), side(to))
                }));
            }
        }
    }
    let mut out = Vec::new();
    while let Some((start, mut at)) = next.pop_first() {
        let mut line = vec![crossing(values, columns, start)];
        while at != start {
            line.push(crossing(values, columns, at));
            // Every line is closed: the outermost points are out.
            let Some(on) = next.remove(&at) else { break };
            at = on;
        }
        out.push(without_straight(line));
    }
    out
}

/// The pieces of the outline in a cell: from which of its sides to which, the inside on their right. Sides and corners are
/// numbered around the cell from the top left: side `n` lies between corners `n` and `n + 1`.
fn pieces(corners: [u8; 4], inside: [bool; 4]) -> [Option<(usize, usize)>; 2] {
    let is_joined = corners.iter().map(|&v| f64::from(v)).sum::<f64>() / 4.0 >= LEVEL;
    // A line enters by a side that goes from in to out, and leaves by the nearest that goes from out to in.
    let enters = (0..4).filter(|&n| inside[n] && !inside[(n + 1) % 4]);
    let is_saddle = inside[0] == inside[2] && inside[1] == inside[3];
    let mut out = [None; 2];
    for (slot, from) in out.iter_mut().zip(enters) {
        let leaves = |n: &usize| !inside[*n] && inside[(*n + 1) % 4];
        let forwards = (1..4).map(|step| (from + step) % 4).find(leaves);
        let backwards = (1..4).map(|step| (from + 4 - step) % 4).find(leaves);
        // Where opposite corners are joined, the outline goes around the corner that is out, else around the one that is in.
        *slot = if is_saddle && !is_joined { backwards } else { forwards }.map(|to| (from, to));
    }
    out
}

/// A side of a cell as it is shared with its neighbours.
const fn side_of(n: usize, first: usize, columns: usize) -> Side {
    match n {
        0 => (first, false),
        1 => (first + 1, true),
        2 => (first + columns, false),
        _ => (first, true),
    }
}

/// Where the outline crosses a side.
fn crossing(values: &[u8], columns: usize, (first, is_down): Side) -> [f64; 2] {
    let at = |n: usize| f64::from(values.get(n).copied().unwrap_or(0));
    let (a, b) = (at(first), at(if is_down { first + columns } else { first + 1 }));
    let share = if a == b { 0.5 } else { ((LEVEL - a) / (b - a)).clamp(0.0, 1.0) };
    let (column, row) = ((first % columns) as f64, (first / columns) as f64);
    if is_down { [column, row + share] } else { [column + share, row] }
}

/// A closed line without the places in the middle of straight pieces.
fn without_straight(line: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let n = line.len();
    let is_corner = |at: usize| {
        let ([ax, ay], [bx, by], [cx, cy]) = (line[(at + n - 1) % n], line[at], line[(at + 1) % n]);
        ((bx - ax) * (cy - by) - (by - ay) * (cx - bx)).abs() > 1e-9
    };
    (0..n).filter(|&at| is_corner(at)).map(|at| line[at]).collect()
}
