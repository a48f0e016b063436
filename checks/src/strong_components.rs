//! Strongly connected components of a directed graph: the sets of nodes that lie on a common circle.

/// The components of two and more nodes of the graph with `successors[node]`; nodes in rising order.
///
/// # Reference
/// Kosaraju and Sharir: order of leaving in the graph, then reachability in the reversed graph.
pub fn strong_components(successors: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut is_visited = vec![false; successors.len()];
    let mut order = Vec::new();
    for node in 0..successors.len() {
        visit(node, successors, &mut is_visited, &mut order);
    }
    let mut predecessors = vec![Vec::new(); successors.len()];
    for (node, next) in successors.iter().enumerate() {
        next.iter().for_each(|&next| predecessors[next].push(node));
    }
    is_visited.fill(false);
    let mut components: Vec<Vec<usize>> = Vec::new();
    for &node in order.iter().rev() {
        let mut component = Vec::new();
        visit(node, &predecessors, &mut is_visited, &mut component);
        component.sort_unstable();
        components.push(component);
    }
    components.retain(|component| component.len() > 1);
    components.sort();
    components
}

/// Depth-first search from a node; appends each new node when it is left.
fn visit(node: usize, successors: &[Vec<usize>], is_visited: &mut [bool], left: &mut Vec<usize>) {
    if std::mem::replace(&mut is_visited[node], true) {
        return;
    }
    successors[node].iter().for_each(|&next| visit(next, successors, is_visited, left));
    left.push(node);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_without_a_circle_has_no_component() {
        assert!(strong_components(&[vec![1, 2], vec![2], vec![]]).is_empty());
    }

    #[test]
    fn two_circles_that_an_edge_joins_are_two_components() {
        let graph = [vec![1], vec![2], vec![0, 3], vec![4], vec![3], vec![0]];
        assert_eq!(strong_components(&graph), [vec![0, 1, 2], vec![3, 4]]);
    }
}
