package option

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const boolType = "bool"

// value is a Value made of its three functions.
type value[T any] struct {
	at    *T
	kind  string
	parse func(s string) (T, error)
	write func(v T) string
}

func (v *value[T]) Type() string { return v.kind }

// String is also called on the zero value, by pflag.
func (v *value[T]) String() string {
	if v.at == nil {
		return ""
	}
	return v.write(*v.at)
}

func (v *value[T]) Set(s string) error {
	got, err := v.parse(s)
	if err != nil {
		return err
	}
	*v.at = got
	return nil
}

// String is any text.
func String(at *string) Value {
	return &value[string]{at, "string", func(s string) (string, error) { return s, nil }, func(s string) string { return s }}
}

// Bool is a switch: true, false, 1 or 0.
func Bool(at *bool) Value {
	return &value[bool]{at, boolType, func(s string) (bool, error) {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return false, fmt.Errorf("%q: want true, false, 1 or 0", s)
		}
		return b, nil
	}, strconv.FormatBool}
}

// Uint is a whole number that is not negative, such as a count or a seed.
func Uint[T uint | uint64](at *T) Value {
	bits := 64
	if ^uint(0)>>32 == 0 && fmt.Sprintf("%T", *at) == "uint" {
		bits = 32
	}
	return &value[T]{at, "uint", func(s string) (T, error) {
		n, err := strconv.ParseUint(s, 10, bits)
		if err != nil {
			return 0, fmt.Errorf("%q: want a whole number, 0 or more", s)
		}
		return T(n), nil
	}, func(v T) string { return strconv.FormatUint(uint64(v), 10) }}
}

// Float is a number.
func Float(at *float64) Value {
	return &value[float64]{at, "float", func(s string) (float64, error) {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0, fmt.Errorf("%q: want a number", s)
		}
		return f, nil
	}, func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }}
}

// Size is a number of bytes; see ParseSize.
func Size(at *int64) Value { return &value[int64]{at, "size", ParseSize, FormatSize} }

// Duration is a time span with its unit; see ParseDuration. It writes 0 as "",
// which stands for none.
func Duration(at *time.Duration) Value {
	return &value[time.Duration]{at, "duration", ParseDuration, func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return FormatDuration(d)
	}}
}

// Enum is one of a few words.
func Enum(at *string, words ...string) Value {
	return &value[string]{at, strings.Join(words, "|"), func(s string) (string, error) {
		if !slices.Contains(words, s) {
			return "", fmt.Errorf("%q: want %s", s, strings.Join(words, ", "))
		}
		return s, nil
	}, func(s string) string { return s }}
}

// Parsed is a value that the caller reads and writes itself.
func Parsed[T any](at *T, kind string, parse func(s string) (T, error), write func(v T) string) Value {
	return &value[T]{at, kind, parse, write}
}

// List is several texts: each use adds one, since one may hold commas.
func List(at *[]string, kind string) Value { return &list{at, kind} }

type list struct {
	at   *[]string
	kind string
}

func (l *list) Set(s string) error { *l.at = append(*l.at, s); return nil }
func (l *list) Type() string       { return l.kind }
func (l *list) String() string {
	if l.at == nil {
		return ""
	}
	return strings.Join(*l.at, " ")
}
