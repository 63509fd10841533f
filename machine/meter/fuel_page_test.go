package meter

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFuelPage holds docs/formats/fuel.md against the tables in the code.
func TestFuelPage(t *testing.T) {
	page := filepath.Join("..", "..", "docs", "formats", "fuel.md")
	want := fuelPage()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s does not say what the code does; go test ./machine/meter -run FuelPage -update writes it", page)
	}
}

func fuelPage() []byte {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# Fuel, machine version 1\n")
	p("Written by `go test ./machine/meter -run FuelPage -update` from the tables in the")
	p("code. A change of any number is a new machine version.\n")
	p("What a turn costs is the sum over what it executes:\n")
	p("| what | units |\n|---|---|")
	p("| `block`, `loop`, `else`, `end`, `nop` | 0 |")
	p("| a SIMD instruction that is not named here | 2 |")
	p("| any other that is not named here | 1 |")
	p("| entering a function | %d, and 1 for each %d of its parameters and locals |", costEntry, costLocals)
	p("| `call` of a function of the program | %d |", costCall)
	p("| `call_indirect` | %d |", costCallIndirect)
	p("| `br_table` | %d |", costTable)
	p("| `table.get`, `table.set`, `ref.func` | 2 |")
	p("| a call of the host | %d, and what the host charges for what it moves: 1 for each %d bytes |", HostCallCost, hostBytes)
	p("| calling the host through a table or a reference | %d more |", costCallIndirect)
	p("| calling a table entry through an import `env.invoke_…`, beside the call of the host | %d, and 1 for each parameter, and 1 for each %d |", costEntry+costCallIndirect, costLocals)
	p("| `memory.copy`, `memory.fill`, `memory.init` | %d, and 1 for each %d bytes of their length |", costBulk, bulkBytes)
	p("| an active data segment | 1 for each %d bytes |", bulkBytes)
	p("| `memory.grow` | %d, and %d for each page of 64 KiB if it is within the limit |", costBulk+1, GrowCost)
	p("| `table.copy`, `table.fill`, `table.init`, `table.grow` | %d, and %d for each entry |", costBulk, EntryCost)
	p("| an active element segment | %d, and %d for each entry |", costBulk, EntryCost)
	p("| `table.size`, `data.drop`, `elem.drop` | %d |", costBulk)
	p("| each 4 KiB page of memory that differs at the end | %d |\n", PageCost)
	p("Divisions of numbers of bytes and entries round down. Code that is never reached")
	p("costs nothing.\n")
	byCost := map[int][]string{}
	for n, table := range [][]opInfo{plainOps[:], convertOps[:], vectorOps[:]} {
		usual := [...]uint8{1, 1, 2}[n]
		for _, op := range table {
			if op.name != "" && op.cost != usual {
				byCost[int(op.cost)] = append(byCost[int(op.cost)], "`"+op.name+"`")
			}
		}
	}
	p("## Instructions that cost something else\n\n| units | instructions |\n|---|---|")
	for cost := range 256 {
		if names := byCost[cost]; len(names) > 0 {
			slices.Sort(names)
			p("| %d | %s |", cost, strings.Join(names, ", "))
		}
	}
	p("\n## Limits of a program\n\n| what | at most |\n|---|---|")
	for _, l := range []struct {
		what string
		most int
	}{
		{"bytes of a program", moduleBytesMax}, {"bytes of all function bodies after rewriting", codeMeteredMax}, {"types", typesMax}, {"parameters of a function", paramsMax},
		{"results of a function or block", resultsMax}, {"imports", importsMax}, {"exports", exportsMax},
		{"functions", functionsMax}, {"functions, imports, and what rewriting adds: one for each function whose entry is checked, and few others", functionsAllMax},
		{"globals", globalsMax}, {"tables", tablesMax}, {"entries of a table", tableEntriesMax},
		{"data segments, element segments, and what rewriting adds: one or two where segments are dropped", segmentsMax}, {"items of an element segment", segmentItemsMax},
		{"parameters and locals of a function", localsMax}, {"bytes of a function body", bodyBytesMax},
		{"bytes of a function body after rewriting", bodyMeteredMax}, {"nested blocks", nestingMax}, {"nested loops", loopNestingMax},
		{"operands on the stack of a function", heightMax}, {"targets of a br_table", branchTargetsMax},
		{"bytes of a name", nameBytesMax}, {"instructions of a constant expression", constExprMax},
		{"pages of memory of 64 KiB", memoryPagesMax}, {"stack weight of one frame, in slots", frameWeightMax},
		{"stack weight of frames outside of recursion", headroomMax}, {"stack weight in all", WeightMax},
		{"calls into a program under way at once", ReentryMax},
		{"of them, calls that are counted by their frames alone", ReentryFreeMax},
		{"stack weight that any more of them find taken, at least", ReentryWeight},
	} {
		p("| %s | %d |", l.what, l.most)
	}
	p("\nA frame weighs %d slots of 8 bytes, and 1 for each parameter, local, result and", frameSlots)
	p("operand (2 for each local that is a v128; in functions that use SIMD, 2 for each")
	p("operand), and 1 for each %d bytes of the function's code.", bodyBytesPerSlot)
	return b.Bytes()
}
