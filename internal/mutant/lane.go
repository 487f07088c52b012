package mutant

// laneMutants are in the loop of a lane, its alarm, and the end of a group.
var laneMutants = []Mutant{
	{
		Name: "lane-stops-with-a-batch-left", File: "lane/reallane.go", By: "TestStopMeetsALongBatch",
		Why: "the last batch has run for one turn only",
		Old: "		if closed && !posted {\n",
		New: "		if closed {\n",
	},
	{
		Name: "batch-is-one-turn", File: "lane/reallane.go", By: "TestStopMeetsALongBatch",
		Why: "what a batch has beyond one turn is lost",
		Old: "	if l.ran == len(l.batch) {\n",
		New: "	if l.ran == len(l.batch) || l.ran >= turn {\n",
	},
	{
		Name: "batch-is-kept", File: "lane/reallane.go", By: "TestPostMeetsPark",
		Why: "what has been run is in the next batch again, as nothing",
		Old: "l.inbox.take(l.batch[:0])",
		New: "l.inbox.take(l.batch)",
	},
	{
		Name: "alarm-wakes-before-it-says-so", File: "lane/park.go", By: "TestEarlyAlarmIsSetAgain",
		Why: "the lane takes the alarm for set, and sleeps",
		Old: `
	step.Write(&l.rang)
	l.rang.Store(true)
	l.inbox.wakeUp()
`,
		New: `
	l.inbox.wakeUp()
	step.Write(&l.rang)
	l.rang.Store(true)
`,
	},
	{
		Name: "alarm-is-trusted", File: "lane/park.go", By: "TestEarlyAlarmIsSetAgain",
		Why: "an alarm that rang too early is not set again",
		Old: "		l.alarmAt = 0\n	}\n	next,",
		New: "	}\n	next,",
	},
	{
		Name: "alarm-wakes-nobody", File: "lane/park.go", By: "TestAlarmMeetsPark",
		Why: "a timer of a parked lane does not fire",
		Old: "	l.rang.Store(true)\n	l.inbox.wakeUp()\n",
		New: "	l.rang.Store(true)\n",
	},
	{
		Name: "alarm-is-looked-at-after-the-clock", File: "lane/park.go", By: "TestAlarmIsSetEarlierMeetsItsRing",
		Why: "the ring of the alarm that was just set is taken for that of an earlier one",
		Old: `
		l.alarm.set(wait)
		l.alarmAt = at
	}
	return true
`,
		New: `
		l.alarm.set(wait)
		l.alarmAt = at
	}
	step.Write(&l.rang)
	l.rang.Store(false)
	return true
`,
	},
	{
		Name: "alarm-stays-open", File: "lane/reallane.go", By: "TestAlarmMeetsClose",
		Why: "the descriptor of each lane that ended is lost",
		Old: "		l.alarm.close()\n",
		New: "		l.alarm.stop()\n",
	},
	{
		Name: "dead-lane-tells-nobody", File: "lane/reallane.go", By: "TestLaneThatDiesStopsTheGroup",
		Why: "who waits for a lane that was ended waits for ever",
		Old: "	l.group.stop()\n",
		New: "",
	},
	{
		Name: "dead-lane-is-not-counted", File: "lane/reallane.go", By: "TestCloseMeetsALaneThatDies",
		Why: "Close waits for it for ever",
		Old: "	l.group.stop()\n	l.end()\n",
		New: "	l.group.stop()\n",
	},
	{
		Name: "first-lane-stops-the-group", File: "lane/real.go", By: "TestDoAcrossLanesMeetsStop",
		Why: "Close returns, and Do gives up, while other lanes run",
		Old: "	if r.running.Add(-1) == 0 {\n",
		New: "	if int(r.running.Add(-1)) == len(r.lanes)-1 {\n",
	},
	{
		Name: "lanes-are-counted-in-two-steps", File: "lane/real.go", By: "TestCloseMeetsClose",
		Why: "two that leave at once both count the other, and nobody is the last",
		Old: `
	if r.running.Add(-1) == 0 {
`,
		New: `
	left := r.running.Load() - 1
	step.Write(&r.running)
	r.running.Store(left)
	if left == 0 {
`,
	},
	{
		Name: "stop-forgets-a-lane", File: "lane/real.go", By: "TestCloseMeetsClose",
		Why: "the lane goes on, and Close waits for ever",
		Old: "	for _, l := range r.lanes {\n		l.inbox.close()\n",
		New: "	for _, l := range r.lanes[:1] {\n		l.inbox.close()\n",
	},
	{
		Name: "do-trusts-the-end", File: "lane/real.go", By: "TestDoMeetsStop",
		Why: "done was called and the lanes have stopped since: Do says that it was not called",
		Old: `
	step.Either(finished, r.stopped)
	step.Read(finished)
`,
		New: `
	step.Either(finished, r.stopped)
	step.Read(r.stopped)
	select {
	case <-r.stopped:
		return ErrClosed
	default:
	}
`,
	},
	{
		Name: "do-waits-for-nobody", File: "lane/real.go", By: "TestDoMeetsStop",
		Why: "a function that was refused is waited for as long as other lanes run",
		Old: `
	if !r.lanes[i].inbox.post(func() { f(done) }) {
		return ErrClosed
	}
	step.Either(finished, r.stopped)
`,
		New: `
	r.lanes[i].inbox.post(func() { f(done) })
	step.Recv(finished)
`,
	},
	{
		Name: "waiter-is-not-polled", File: "lane/reallane.go", By: "TestCompletionMeetsWait",
		Why: "what arrives in the ring stays there",
		Old: "!l.waiter.Poll() && l.ran",
		New: "l.ran",
	},
	{
		Name: "lane-waits-with-a-batch-left", File: "lane/reallane.go", By: "TestALongBatchMeetsWait",
		Why: "the rest of a batch that is longer than a turn waits for somebody else",
		Old: " && l.ran == len(l.batch)",
		New: "",
	},
	{
		Name: "waiter-waits-unseen", File: "lane/park.go", By: "TestPostMeetsWait",
		Why: "nobody knows that the lane is to be woken",
		Old: `
	if !l.inbox.park() {
		return
	}
	l.waiter.Wait(d)
`,
		New: `
	l.waiter.Wait(d)
`,
	},
	{
		Name: "attach-keeps-it-from-the-inbox", File: "lane/park.go", By: "TestAttachMeetsPost",
		Why: "a post wakes the lane where it does not wait",
		Old: "	l.inbox.attach(w)\n",
		New: "",
	},
}
