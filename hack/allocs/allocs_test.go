package main

import (
	"strings"
	"testing"
)

const said = `goos: linux
pkg: example
BenchmarkAnswer/binary         	    1000	       388.3 ns/op	       1 B/op	       0 allocs/op
BenchmarkRead 	    1000	   4825104 ns/op	      4825 ns/row	  360702 B/op	    3108 allocs/op
BenchmarkWithoutMemory 	    1000	   12 ns/op
PASS
`

func measuredThere() map[benchmark]result {
	all := map[benchmark]result{}
	for name, r := range readResults(said) {
		all[benchmark{"./a", name}] = r
	}
	return all
}

func TestGateFailsOnGrowthOnly(t *testing.T) {
	for what, test := range map[string]struct {
		file, says string
		fails      bool
	}{
		"as written":    {"./a BenchmarkAnswer/binary 0\n./a BenchmarkRead 3108\n", "3108 allocations, 4825104 ns here", false},
		"more":          {"./a BenchmarkRead 3107\n", "BenchmarkRead: 3108 allocations, 3107 are written down", true},
		"fewer":         {"./a BenchmarkRead 3109\n", "fewer than the 3109", false},
		"gone":          {"./a BenchmarkOld 3\n", "BenchmarkOld: is written down and not there", true},
		"not counted":   {"./a BenchmarkWithoutMemory 0\n", "not there", true},
		"other package": {"./b BenchmarkRead 3108\n", "not there", true},
	} {
		known, err := readKnown([]byte("# a comment\n\n" + test.file))
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := compare(&out, known, measuredThere()); (err != nil) != test.fails {
			t.Errorf("%s: error %v", what, err)
		}
		if !strings.Contains(out.String(), test.says) {
			t.Errorf("%s: said %q, want %q", what, &out, test.says)
		}
	}
}

func TestUpdateKeepsWhatIsNoNumber(t *testing.T) {
	const before = "# why\n./a BenchmarkRead 9\n\n./a BenchmarkOld 3\n./a BenchmarkAnswer/binary 1\n"
	known, err := readKnown([]byte(before))
	if err != nil {
		t.Fatal(err)
	}
	const want = "# why\n./a BenchmarkRead 3108\n\n./a BenchmarkAnswer/binary 0\n"
	if got := string(write([]byte(before), known, measuredThere())); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWrongLinesAreNamed(t *testing.T) {
	for _, text := range []string{"./a BenchmarkRead\n", "./a BenchmarkRead many\n", "./a BenchmarkRead -1\n"} {
		if _, err := readKnown([]byte("# one\n" + text)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

// A benchmark that cannot be built is an error that says what the compiler said.
func TestMeasureSaysWhatWentWrong(t *testing.T) {
	if _, err := measure(t.Context(), benchmark{"./nothing", "BenchmarkX"}); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("error %v", err)
	}
}
