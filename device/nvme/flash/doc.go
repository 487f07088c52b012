// Package flash is a medium that takes the time of a solid-state drive: dies
// behind channels behind a host link. It models time, not content; the
// controller keeps the data.
//
// # The way of a command
//
//		read:   front -> dies (array, then channel) -> link out, latency -> done
//		write:  front -> link in -> write buffer -> latency -> done;  buffer -> channel -> die, later
//		        front -> link in -> channel -> die -> latency -> done          (without a buffer)
//		flush:  front -> wait for the buffer, if it is volatile -> latency -> done
//		trim:   front -> latency -> done
//
//	  - front: the controller's own work, one command at a time (CommandTime).
//	  - link: bytes to and from the host, each way in turn (LinkRate). Latency is a
//	    fixed delay that commands spend side by side.
//	  - die: does one thing at a time, first come first served. It is held from the
//	    beginning of an array operation until its page register is empty again: a
//	    read until its data has crossed the channel, a program from before.
//	  - channel: moves one page at a time, first come first served.
//
// Each die, channel, and line of waiting commands has one timer, made once.
// Times are integers: rates round up to a nanosecond; array times are drawn from
// the injected Rand, in the order in which the dies begin, each kind with a
// distribution of its own (distribution.go): triangular of +-Jitter percent unless
// Config says fixed, uniform or lognormal. Nothing else is random, so the lane's
// time and the Rand decide everything.
//
// Pages that share cells are read in different times: Config.ReadPages has them,
// and the pages of a block take turns. Programs of all of them take alike.
//
// # Where data lies
//
// The unit of mapping is 4 KiB; a row is what a die reads or programs at once,
// PageSize x Planes (all planes of a die work together). A unit that was never
// written counts as old data in static stripes: row = unit / units per row,
// die = row mod dies, channel = die mod channels. Writes are a log: rows are
// numbered as they are filled, and row n goes to die n mod dies. A die that has
// filled a block pays an erase before its next program.
//
// With Config.OverProvision the log goes through superblocks, and what is still
// valid in one is copied away before it is written again: blocks.go has garbage
// collection, fill.go the state of a drive that is full from the start. Without, a
// block is taken as free when its turn comes. With Config.SLC the first rows are
// programmed quickly (slc.go).
//
// A read costs one array read for each row that it touches, whatever part of it,
// and a transfer of whole units (they are what error correction works on).
// Trimmed units and units still in the write buffer cost none. A write that
// covers a unit only in part has the old unit read in the background, which
// keeps its die busy but not the write.
//
// # Writing
//
// With a buffer, a write is done when its units have a place there (the last one,
// if it is larger than the room), packed into rows in the order of arrival. A
// full row is programmed; each die has at most one program among its reads, and
// the other rows wait in the buffer, so that a read waits for one program at
// most. A row's room is free again when its program ends. If the buffer is
// Volatile, Flush and forced writes pad the row being filled and wait for all
// rows up to then; otherwise it survives a power cut, and they wait for nothing.
// Without a buffer each write programs rows of its own, the last one padded.
//
// # Abort
//
// A read can be aborted until its data has crossed the link. Its operations that
// no die has begun are removed and counted as saved; a running array read goes on
// to its end and its data is dropped. A write can be aborted until its first
// unit has a place in the buffer or, without a buffer, until a die has begun one
// of its programs: all or nothing. Flush and trim can be aborted until they are
// done, a forced write that waits for its rows no more.
//
// All of it belongs to the controller's lane. Nothing allocates once the pools
// have grown to the load.
package flash
