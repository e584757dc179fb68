package redisstore

import (
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
)

// script is a step that the server runs whole or not at all.
type script struct{ body, sha string }

func newScript(parts ...string) *script {
	var body string
	for _, part := range parts {
		body += part
	}
	sum := sha1.Sum([]byte(body)) // the server's name for it, no secret
	return &script{body, hex.EncodeToString(sum[:])}
}

var (
	//go:embed scripts/common.lua
	commonLua string
	//go:embed scripts/cell.lua
	cellLua string
	//go:embed scripts/reserve.lua
	reserveLua string
	//go:embed scripts/settle.lua
	settleLua string
	//go:embed scripts/put.lua
	putLua string
	//go:embed scripts/stage.lua
	stageLua string
	//go:embed scripts/unstage.lua
	unstageLua string
	//go:embed scripts/look.lua
	lookLua string
	//go:embed scripts/revoke.lua
	revokeLua string
	//go:embed scripts/amend.lua
	amendLua string
	//go:embed scripts/lower.lua
	lowerLua string
	//go:embed scripts/index.lua
	indexLua string
	//go:embed scripts/unindex.lua
	unindexLua string
	//go:embed scripts/history.lua
	historyLua string
	//go:embed scripts/uses.lua
	usesLua string
	//go:embed scripts/olduses.lua
	oldUsesLua string
	//go:embed scripts/pruneuses.lua
	pruneUsesLua string
	//go:embed scripts/prunerow.lua
	pruneRowLua string
	//go:embed scripts/swap.lua
	swapLua string
	//go:embed scripts/add.lua
	addLua string
	//go:embed scripts/cells.lua
	cellsLua string
	//go:embed scripts/newestcells.lua
	newestCellsLua string
	//go:embed scripts/prunecells.lua
	pruneCellsLua string
	//go:embed scripts/events.lua
	eventsLua string
	//go:embed scripts/eventlist.lua
	eventListLua string
	//go:embed scripts/pruneevents.lua
	pruneEventsLua string
)

var (
	reserveScript     = newScript(commonLua, reserveLua)
	settleScript      = newScript(commonLua, settleLua)
	putScript         = newScript(commonLua, putLua)
	stageScript       = newScript(commonLua, stageLua)
	unstageScript     = newScript(commonLua, unstageLua)
	lookScript        = newScript(commonLua, lookLua)
	revokeScript      = newScript(commonLua, revokeLua)
	amendScript       = newScript(commonLua, amendLua)
	lowerScript       = newScript(commonLua, lowerLua)
	indexScript       = newScript(commonLua, indexLua)
	unindexScript     = newScript(unindexLua)
	historyScript     = newScript(historyLua)
	usesScript        = newScript(usesLua)
	oldUsesScript     = newScript(oldUsesLua)
	pruneUsesScript   = newScript(pruneUsesLua)
	pruneRowScript    = newScript(pruneRowLua)
	swapScript        = newScript(cellLua, swapLua)
	addScript         = newScript(cellLua, addLua)
	cellsScript       = newScript(cellsLua)
	newestCellsScript = newScript(newestCellsLua)
	pruneCellsScript  = newScript(pruneCellsLua)
	eventsScript      = newScript(eventsLua)
	eventListScript   = newScript(eventListLua)
	pruneEventsScript = newScript(pruneEventsLua)
)
