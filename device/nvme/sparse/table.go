package sparse

// dirBits is log2 of how many entries one directory page holds.
const dirBits = 9

// Table is an array of n pointers to T in two levels. Nil is an entry that was
// never set; a page of the second level is made when one of its entries is.
type Table[T any] struct {
	pages []*[1 << dirBits]*T
}

// NewTable makes a table of n empty entries.
func NewTable[T any](n int64) Table[T] {
	return Table[T]{pages: make([]*[1 << dirBits]*T, (n+1<<dirBits-1)>>dirBits)}
}

// Get is entry i, nil if it is empty. i must be within the table.
func (t *Table[T]) Get(i int64) *T {
	if p := t.pages[i>>dirBits]; p != nil {
		return p[i&(1<<dirBits-1)]
	}
	return nil
}

// Set sets entry i. Setting nil where nothing was makes nothing.
func (t *Table[T]) Set(i int64, v *T) {
	p := t.pages[i>>dirBits]
	if p == nil {
		if v == nil {
			return
		}
		p = new([1 << dirBits]*T)
		t.pages[i>>dirBits] = p
	}
	p[i&(1<<dirBits-1)] = v
}

// Fill sets the n entries from i to v, and gives back the memory of directory
// pages that become empty.
func (t *Table[T]) Fill(i, n int64, v *T) {
	for n > 0 {
		page, at := i>>dirBits, i&(1<<dirBits-1)
		k := min(n, 1<<dirBits-at)
		switch p := t.pages[page]; {
		case v == nil && k == 1<<dirBits:
			t.pages[page] = nil
		case p != nil:
			for j := at; j < at+k; j++ {
				p[j] = v
			}
		case v != nil:
			for j := int64(0); j < k; j++ {
				t.Set(i+j, v)
			}
		}
		i, n = i+k, n-k
	}
}
