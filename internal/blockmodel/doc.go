// Package blockmodel knows which contents the blocks of a device may have, while
// reads and writes overlap, fail, and are cut off by a crash.
//
// Each write has a [Stamp], and fills its blocks with a pattern of the stamp and
// the block's number ([Fill]), so that what is read back ([Parse]) tells whose it
// is, whether it is in its place, and whether it is one write's wholly. A [Model]
// keeps for every block the stamps that it may have:
//
//   - a write that completed OK replaces every write that had completed before it
//     began; of writes that overlap in time any may be the last;
//   - a write that failed or was cancelled may have changed the block or not, each
//     block by itself;
//   - a read may return what the block could have at any moment from its begin to
//     its end; where nothing was written meanwhile, that is then the value (but
//     see [Model.Unsettled]);
//   - after a crash of a device with a volatile cache, a block has a value that it
//     could have had at the last flush or later, and without such a cache, now.
//
// A model belongs to one lane, or to one simulated world.
package blockmodel
