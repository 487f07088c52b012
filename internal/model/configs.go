package model

import "slices"

// target is a target that does everything that it may, or leaves it out.
func target(n uint8) []instr {
	return []instr{awaitHanded(n), maybe(register(n)), maybe(tryStart(n)), maybe(requeue(n)), maybe(tryStart(n)), complete(n)}
}

// Configurations are those of our protocol that are checked. Each is a few actors
// around one or two slots; together they hold all the actors of the contract.
func Configurations() []*Protocol {
	all := []*Protocol{
		{
			Name: "three I/Os in one slot, their targets, cancels of the first and of any", slots: 1, ios: 3, begun: 1,
			players: []player{
				plays("submitter", submit(1), submit(2)),
				plays("reaper", reap()),
				plays("target", slices.Concat(target(0), target(1), target(2))...),
				plays("canceller", cancel(0), cancel(0)),
				plays("canceller 2", cancel(1), cancel(2)),
				plays("observer", look(0), look(1)),
			},
		},
		{
			Name: "two registrars, two completers, two cancellers, and the slot is used again", slots: 1, ios: 2, begun: 1,
			players: []player{
				plays("registrar", register(0)),
				plays("registrar 2", register(0)),
				plays("completer", maybe(tryStart(0)), complete(0), register(0)),
				plays("completer 2", complete(0), requeue(0)),
				plays("canceller", cancel(0)),
				plays("canceller 2", cancel(0)),
				plays("next", reapOne(), submit(1), awaitHanded(1), complete(1)),
			},
		},
		{
			Name: "a target, a registrar and cancellers one generation late", slots: 1, ios: 2, begun: 1, quick: true,
			players: []player{
				plays("submitter", reapOne(), submit(1), reap()),
				plays("stale target", complete(0), register(0), tryStart(0), requeue(0), complete(0)),
				plays("stale registrar", register(0)),
				plays("stale canceller", cancel(0)),
				plays("target", target(1)...),
				plays("canceller", cancel(1)),
			},
		},
		{
			Name: "cancels of the next generations", slots: 1, ios: 2, begun: 1,
			players: []player{
				plays("submitter", submit(1)),
				plays("reaper", reap()),
				plays("target", target(0)...),
				plays("target 2", target(1)...),
				plays("guesser", cancelID(0, 2), cancelID(0, 3)),
				plays("guesser 2", cancelID(0, 1), cancelID(0, 2)),
				plays("observer", look(0), awaitHanded(1), look(1)),
			},
		},
		{
			Name: "the callback completes, the device too, and the slot is used again", slots: 1, ios: 2, begun: 1,
			players: []player{
				plays("registrar", register(0).with(completes)),
				plays("device", maybe(tryStart(0)), complete(0)),
				plays("canceller", cancel(0)),
				plays("canceller 2", cancel(0), cancel(1)),
				plays("device 2", complete(0)),
				plays("submitter", reapOne(), submit(1)),
				plays("target", awaitHanded(1), register(1).with(completes), complete(1)),
			},
		},
		{
			Name: "the completer holds the lock that the callback takes", slots: 1, ios: 2, begun: 1, quick: true,
			players: []player{
				plays("registrar", register(0).with(locks)),
				plays("completer", lock(), complete(0), unlock()),
				plays("canceller", cancel(0), cancel(1)),
				plays("canceller 2", cancel(0)),
				plays("submitter", reapOne(), submit(1)),
				plays("registrar 2", awaitHanded(1), register(1).with(locks)),
				plays("completer 2", awaitHanded(1), lock(), complete(1), unlock()),
			},
		},
		{
			Name: "submits that fail after they took a tag", slots: 2, ios: 3, noPages: true,
			players: []player{
				plays("submitter", submit(0), submit(1)),
				plays("submitter 2", submit(2)),
				plays("target", target(0)...),
				plays("target 2", target(1)...),
				plays("target 3", awaitHanded(2), complete(2)),
				plays("canceller", cancel(0)),
				plays("reaper", reap()),
			},
		},
		{
			Name: "teardown, and devices that answer only when they are kicked", slots: 2, ios: 3, begun: 1, quick: true,
			players: []player{
				plays("closer", shutdown(2)...),
				plays("submitter", submit(1)),
				plays("submitter 2", submit(2)),
				plays("target", register(0), maybe(tryStart(0)), awaitCalled(0), complete(0)),
				plays("target 2", awaitHanded(1), register(1), awaitCalled(1), complete(1)),
				plays("target 3", awaitHanded(2), awaitAsked(2), complete(2)),
				plays("reaper", reap()),
			},
		},
		{
			Name: "two teardowns, and targets that look", slots: 2, ios: 2, begun: 1,
			players: []player{
				plays("closer", shutdown(2)...),
				plays("closer 2", shutdown(2)...),
				plays("submitter", submit(1)),
				plays("target", maybe(register(0)), awaitAsked(0), complete(0)),
				plays("target 2", awaitHanded(1), maybe(register(1)), awaitAsked(1), complete(1)),
				plays("reaper", reap()),
			},
		},
	}
	for _, p := range all {
		p.rules = ours()
	}
	return all
}
