// Package nvme is a virtual NVMe controller (NVM Express Base 2.0 with Cancel of
// 2.1, NVM Command Set 1.0, PCIe Transport 1.0).
//
// The host reaches it only through [Registers], and it reaches the host only
// through [Memory] and [Interrupter]; the wire format is package spec. What a
// command costs is up to a [Medium]: [Null] costs nothing, package flash is a
// solid-state drive. What a command stores is up to Config.Data. What it claims to
// be is in conformance_test.go and its parts, a rule a line, by section.
//
// # What runs where
//
// The controller is owned by one lane, and so are its medium and its data.
// Register reads are atomic loads from anywhere. Register writes store the
// register at once and are acted upon on the lane: doorbells by one posted pass
// for any number of them, the others in order. A completion entry is handed over
// by its phase bit (spec.CQE.Publish), an interrupt by Interrupter.Raise, once
// for a run of completions of a vector (interrupt.go: masking, coalescing).
//
// # States
//
//	disabled --CC.EN=1--> starting --ReadyDelay--> ready --CC.EN=0--> disabled
//	                         |                       |
//	                         +-- bad admin queue --> fatal (CSTS.CFS) <-- Fail
//	                                                 |
//	                                                 +--CC.EN=0--> disabled
//
// CC.EN=0 drops every queue and command: nothing is posted or raised afterwards.
// Data, namespaces, saved features, the error log, and what a medium has in its
// write buffer outlive it. NSSR does the same and takes the registers along.
// CC.SHN stops the fetching of commands, lets what executes end, flushes, and sets
// CSTS.SHST.
//
// A command is unfetched (in its queue between head and tail), executing (it
// has a slot, the medium has it), completing (its entry waits for room in the
// completion queue) and then gone. Config.Slots bounds the executing I/O
// commands, so that a deep queue keeps the rest truly unfetched. Admin commands
// have slots of their own, and so have Cancels: a full device still takes them.
// Which queue is next says arbitration.go.
//
// # When data moves
//
// All of a command's data moves at one moment, when the medium has finished it
// and just before its completion is posted. So a command that was aborted never
// changed the medium or the host's buffer, and two commands at once are seen in
// the order of their completions. A Copy reads and writes at that moment, a fused
// Compare and Write compares and writes in it. The data pointer (prp.go, sgl.go) is
// walked at fetch as well, so that a bad one fails before anything is started;
// where the host changes a list in between, the second walk finds out.
//
// # Abort and Cancel
//
// An Abort's answer is the truth. "Aborted" (dword 0 bit 0 clear) says that this
// Abort ended that command with status 07h, and is posted after it:
//
//   - unfetched: the entry is marked; when its turn to be fetched comes it
//     completes with 07h without being executed.
//   - executing: the medium decides, see [Medium] (and package flash for its
//     rule). An event request (AER) can be aborted, another admin command not.
//   - completing, completed, unknown, or marked by an earlier Abort: not aborted.
//
// Where a host has used one command id twice, the first found counts: executing
// before unfetched, then queue order. Deleting a submission queue ends what it
// can with 08h. Cancel (cancel.go) does the same within its own queue, for one
// command or all, and counts. So whenever no answer waits for room in a completion
// queue: commands posted with 07h == Stats.AbortsAnswered, which are the Aborts
// answered "aborted", the commands that Cancels counted, and those whose answer a
// reset cut off.
//
// # What cannot fail
//
// Nothing that a guest writes panics: bad commands have their status and an entry
// in the error log, bad doorbells are asynchronous events (aer.go), other bad
// register writes are counted (Stats.Errors), queue memory that is not there is
// Invalid Field or, for the admin queue, CSTS.CFS. Nothing is allocated for an I/O.
package nvme
