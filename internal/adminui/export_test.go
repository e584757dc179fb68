package adminui

import "strings"

// Actions are the paths of all posts, and the least role of each.
func Actions() map[string]Role {
	actions := map[string]Role{}
	for _, rt := range new(UI).routes() {
		if path, posts := strings.CutPrefix(rt.pattern, "POST "); posts {
			actions[path] = rt.role
		}
	}
	return actions
}

// SafeCell is for tests.
var SafeCell = safeCell
