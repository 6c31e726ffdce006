//! The check for import cycles: no file may import itself, directly or through other files.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use super::fault::Fault;
use super::imports::Import;

/// Returns one fault for each set of files that import each other. The fault names the shortest
/// cycle through the first file of the set.
pub fn check(imports: &BTreeSet<Import>) -> Vec<Fault> {
    // A parent's re-export of its modules' items is not an import. The use of the name counts as an
    // import of the defining file.
    let arrows: Vec<&Import> = imports.iter().filter(|import| !import.facade).collect();
    let edges = arrows.iter().map(|a| (a.from.as_str(), a.to.as_str()));
    let graph: DiGraphMap<&str, ()> = DiGraphMap::from_edges(edges);
    let mut faults = Vec::new();
    for mut knot in tarjan_scc(&graph) {
        if knot.len() > 1 {
            knot.sort_unstable();
            faults.push(fault(&arrows, &knot));
        }
    }
    faults
}

fn fault(arrows: &[&Import], knot: &[&str]) -> Fault {
    let circle = circle_through(arrows, knot);
    let steps: Vec<String> = circle
        .iter()
        .map(|step| {
            format!(
                "{}:{} names `{}` of {}",
                step.from, step.line, step.path, step.to
            )
        })
        .collect();
    let message = format!(
        "{} files import each other, and import cycles are not allowed: {} (all of them: {})",
        knot.len(),
        steps.join(", "),
        knot.join(" ")
    );
    Fault::new(knot[0], circle.first().map(|step| step.line), message)
}

/// Returns the shortest cycle through the first file of `knot`, by breadth-first search.
fn circle_through<'a>(arrows: &[&'a Import], knot: &[&str]) -> Vec<&'a Import> {
    let start = knot[0];
    let mut came_by: BTreeMap<&str, &'a Import> = BTreeMap::new();
    let mut front = vec![start];
    while !front.is_empty() && !came_by.contains_key(start) {
        let mut next = Vec::new();
        for arrow in arrows {
            let inside = knot.contains(&arrow.to.as_str());
            if inside
                && front.contains(&arrow.from.as_str())
                && !came_by.contains_key(arrow.to.as_str())
            {
                came_by.insert(&arrow.to, arrow);
                next.push(arrow.to.as_str());
            }
        }
        front = next;
    }
    let mut circle = Vec::new();
    let mut at = start;
    while let Some(step) = came_by.get(at) {
        circle.push(*step);
        at = &step.from;
        if at == start {
            break;
        }
    }
    circle.reverse();
    circle
}
