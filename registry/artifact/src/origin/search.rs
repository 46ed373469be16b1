//! The best way from an entry to every function: with the fewest steps through tables, of
//! those with the fewest through pointers, and of those with the fewest steps.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::graph::{Graph, Node, Place, Way};
use super::link::Entry;
use crate::limits;

/// What it costs to be called by a host that may have got a reference: more than any way that the program
/// itself has.
const OUTSIDE: u32 = 1000;

/// For each node that can be reached, how.
pub(super) struct Search {
    reached: Vec<Option<Reached>>,
}

/// How a node is reached.
#[derive(Clone, Copy)]
struct Reached {
    cost: Cost,
    /// The index of the entry that it is reached from.
    entry: usize,
    /// The node before and the way from it; none at an entry.
    from: Option<(Node, Way)>,
}

/// Steps through tables first, then those through pointers, then all.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    indirect: u32,
    pointers: u32,
    steps: u32,
}

/// A way from an entry, without what is not a function.
pub(super) struct Chain {
    /// The index of the entry.
    pub(super) entry: usize,
    /// The functions from the entry on, each with how it is reached from the one before.
    pub(super) functions: Vec<(Node, Way)>,
    /// How the last of them reaches where the way ends.
    pub(super) last: Way,
}

impl Cost {
    /// After a step, and of how many steps of its kind it counts.
    fn after(self, way: Way, times: u32) -> Self {
        let add = |count: u32, of: Way| count.saturating_add(if way == of { times } else { 0 });
        Self {
            indirect: add(self.indirect, Way::Indirect),
            pointers: add(self.pointers, Way::Pointer),
            steps: self.steps.saturating_add(u32::from(way != Way::Within)),
        }
    }
}

impl Search {
    /// Finds what can be reached by calls, and then the best ways to it, for which guesses
    /// about pointers count too.
    pub(super) fn run(graph: &mut Graph<'_, '_>, entries: &[(Entry, Node)]) -> Self {
        let certain = |graph: &mut Graph<'_, '_>, node| {
            let ways = graph.ways(node).into_iter();
            ways.map(|(to, way)| (to, way, 1)).collect::<Vec<_>>()
        };
        let possible = Self::with(graph, entries, certain);
        Self::with(graph, entries, |graph, node| {
            let mut ways = certain(graph, node);
            let guesses = graph.pointers(node).into_iter();
            ways.extend(guesses.filter(|(to, ..)| {
                let is_object = matches!(graph.place(*to), Some(Place::Object { .. }));
                is_object || possible.reached(*to).is_some()
            }));
            ways
        })
    }

    fn with<'p, 'a>(
        graph: &mut Graph<'p, 'a>,
        entries: &[(Entry, Node)],
        ways: impl Fn(&mut Graph<'p, 'a>, Node) -> Vec<(Node, Way, u32)>,
    ) -> Self {
        let mut search = Self {
            reached: Vec::new(),
        };
        let mut next = BinaryHeap::new();
        for (entry, (kind, node)) in entries.iter().enumerate() {
            let reached = Reached {
                cost: Cost {
                    indirect: match kind {
                        Entry::Reference => OUTSIDE,
                        _ => 0,
                    },
                    ..Cost::default()
                },
                entry,
                from: None,
            };
            if search.improve(*node, reached) {
                next.push(Reverse((reached.cost, *node)));
            }
        }
        while let Some(Reverse((cost, node))) = next.pop() {
            let Some(from) = search.reached(node).filter(|from| from.cost == cost) else {
                continue;
            };
            for (to, way, times) in ways(graph, node) {
                let reached = Reached {
                    cost: cost.after(way, times),
                    entry: from.entry,
                    from: Some((node, way)),
                };
                if search.improve(to, reached) {
                    next.push(Reverse((reached.cost, to)));
                }
            }
        }
        search
    }

    /// The way to a node, if there is one; of a way that is longer than can be shown, its
    /// end.
    pub(super) fn chain(&self, graph: &Graph<'_, '_>, to: Node) -> Option<Chain> {
        let entry = self.reached(to)?.entry;
        let mut functions: Vec<(Node, Way)> = Vec::new();
        let (mut node, mut way, mut last) = (to, Way::Within, Way::Within);
        // What a node is reached from was reached before it, so this ends at an entry.
        while functions.len() < limits::CHAIN_FUNCTIONS {
            let is_function = matches!(graph.place(node), Some(Place::Function { .. }));
            if is_function && node != to {
                // What was walked back so far leads from this one to the one after.
                match functions.last_mut() {
                    Some((_, after)) => *after = way,
                    None => last = way,
                }
                functions.push((node, Way::Within));
                way = Way::Within;
            }
            let Some((before, step)) = self.reached(node)?.from else {
                break;
            };
            way = way.max(step);
            node = before;
        }
        match functions.last_mut() {
            Some((_, first)) => *first = way,
            None => last = way,
        }
        functions.reverse();
        Some(Chain {
            entry,
            functions,
            last,
        })
    }

    fn reached(&self, node: Node) -> Option<Reached> {
        self.reached.get(node.index()).copied().flatten()
    }

    fn improve(&mut self, node: Node, reached: Reached) -> bool {
        if self
            .reached(node)
            .is_some_and(|known| known.cost <= reached.cost)
        {
            return false;
        }
        if self.reached.len() <= node.index() {
            self.reached.resize(node.index() + 1, None);
        }
        if let Some(place) = self.reached.get_mut(node.index()) {
            *place = Some(reached);
        }
        true
    }
}
