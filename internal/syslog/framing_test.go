package syslog

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// all reads every message of a stream, given out a few bytes at a time.
func all(stream string, limit int) (messages []string, err error) {
	r := NewReader(iotest.OneByteReader(strings.NewReader(stream)), limit)
	for {
		m, err := r.Next()
		if err != nil {
			return messages, err
		}
		messages = append(messages, string(m))
	}
}

func TestFraming(t *testing.T) {
	long := strings.Repeat("x", 100)
	for stream, want := range map[string][]string{
		"":                                     nil,
		"<13>a\n<13>b\r\n\n\n<13>c":            {"<13>a", "<13>b", "<13>c"},
		"5 <13>a5 <13>b":                       {"<13>a", "<13>b"},
		"7 <13>a\nb<13>c\n":                    {"<13>a\nb", "<13>c"},
		"<13>a\n5 <13>b<13>c\n":                {"<13>a", "<13>b", "<13>c"},
		"12 monkeys\n5 <13>b":                  {"12 monkeys", "<13>b"},
		"1\n12\n":                              {"1", "12"},
		"12":                                   {"12"},
		"12345678 <13>a\n":                     {"12345678 <13>a"},
		"5  <13>a\n":                           {"5  <13>a"},
		" 5 <13>a\n":                           {" 5 <13>a"},
		"<13>a\x00\n<13>b\n":                   {"<13>a", "<13>b"},
		"<13>" + long + "\n<13>next\n":         {"<13>" + long[:28], "<13>next"},
		"104 <13>" + long + "5 <13>b":          {"<13>" + long[:28], "<13>b"},
		"<13>" + long[:27] + "\n<13>exactly\n": {"<13>" + long[:27], "<13>exactly"},
	} {
		got, err := all(stream, 32)
		if !errors.Is(err, io.EOF) {
			t.Errorf("%q: ends with %v", stream, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", stream, diff)
		}
	}
}

func TestFramingFaults(t *testing.T) {
	for _, stream := range []string{"9999999 <13>a", "0 <13>a", "50 <13>short"} {
		if got, err := all(stream, 32); !errors.Is(err, ErrFraming) || len(got) != 0 {
			t.Errorf("%q: %q, %v", stream, got, err)
		}
	}
	broken := errors.New("reset")
	if _, err := NewReader(iotest.ErrReader(broken), 32).Next(); !errors.Is(err, broken) {
		t.Errorf("a broken stream ends with %v", err)
	}
}

func TestFramingTellsMessagesApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream strings.Builder
		var want []string
		for _, text := range rapid.SliceOf(rapid.StringMatching(`[ -~]{0,40}`)).Draw(t, "texts") {
			m := "<13>" + text
			want = append(want, m)
			if rapid.Bool().Draw(t, "counted") {
				stream.WriteString(strconv.Itoa(len(m)) + " " + m)
			} else {
				stream.WriteString(m + "\n")
			}
		}
		got, err := all(stream.String(), 64)
		if diff := cmp.Diff(want, got); diff != "" || !errors.Is(err, io.EOF) {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
	})
}

// FuzzFraming shows that no stream crashes the reader, makes it loop or yields a message over the limit.
func FuzzFraming(f *testing.F) {
	for _, seed := range []string{"<13>a\n<13>b", "5 <13>a5 <13>b", "9999999 <", "12 monkeys\n", "1048576 <13>", "\n\n\n", strings.Repeat("9", 50)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stream string) {
		r := NewReader(strings.NewReader(stream), 32)
		total := 0
		for {
			m, err := r.Next()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, ErrFraming) {
					t.Fatal(err)
				}
				return
			}
			if total += len(m); len(m) > 32 || len(m) == 0 || total > len(stream) {
				t.Fatalf("a message of %d bytes, %d in all, of a stream of %d", len(m), total, len(stream))
			}
		}
	})
}
