//go:build unix && !linux

package needs

import "syscall"

// dieWithParent is a wish that only Linux grants.
func dieWithParent() *syscall.SysProcAttr { return nil }
