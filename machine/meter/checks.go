package meter

// bound checks the entries of more functions, so that little can happen between
// two checks, in recursion or not:
//
//   - the frames that are counted in between weigh at most uncheckedMax;
//   - a call of a function that is not checked costs at most uncheckedCostMax,
//     with all that is called from there, each instruction counted once: loops
//     check at their heads. Without this, twenty functions that each call the
//     next one a thousand times would never end.
//
// types are the graph's nodes of function types.
func (g *callGraph) bound(p *program, functions []function, types []int) {
	order := g.callersFirst()
	chain := make([]uint32, len(g.edges)) // weight of the heaviest unchecked chain up to a node's callers
	for _, n := range order {
		weight := chain[n]
		if int(n) < g.functions {
			if g.recursive[n] {
				weight += functions[n].weight
			}
			g.checked[n] = g.checked[n] || weight > uncheckedMax
			if g.checked[n] {
				weight = 0
			}
		}
		for _, callee := range g.edges[n] {
			chain[callee] = max(chain[callee], weight)
		}
	}
	cost := make([]uint64, len(g.edges)) // of a call of a node, 0 if it is checked
	for i := range order {
		n := order[len(order)-1-i]
		if int(n) >= g.functions {
			for _, callee := range g.edges[n] {
				cost[n] = max(cost[n], cost[callee])
			}
			continue
		}
		if g.checked[n] {
			continue
		}
		total := functions[n].cost
		for _, e := range functions[n].events {
			switch {
			case e.kind == evCall && int(e.arg) >= len(p.imports):
				total += cost[int(e.arg)-len(p.imports)]
			case e.kind == evCallIndirect:
				total += cost[types[e.arg]]
			}
		}
		if total > uncheckedCostMax {
			g.checked[n] = true
			continue
		}
		cost[n] = total
	}
}

// callersFirst orders the nodes so that each comes after all that lead to it,
// where what leads to a checked function does not count: every cycle has one.
func (g *callGraph) callersFirst() []int32 {
	callers := make([]int32, len(g.edges))
	for _, out := range g.edges {
		for _, n := range out {
			callers[n]++
		}
	}
	order := make([]int32, 0, len(g.edges))
	for n := range g.edges {
		if callers[n] == 0 || n < g.functions && g.checked[n] {
			order = append(order, int32(n))
		}
	}
	for next := 0; next < len(order); next++ {
		for _, n := range g.edges[order[next]] {
			if callers[n]--; callers[n] == 0 && !(int(n) < g.functions && g.checked[n]) {
				order = append(order, n)
			}
		}
	}
	return order
}
