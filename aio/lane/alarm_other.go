//go:build !linux

package lane

func newAlarm(wake func()) alarm { return newRuntimeAlarm(wake) }
