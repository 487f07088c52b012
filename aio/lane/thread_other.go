//go:build !linux

package lane

func setSlack(uintptr) {}

func setUrgent(bool) bool { return false }

func allowed() []int { return nil }

func bind(...int) {}
