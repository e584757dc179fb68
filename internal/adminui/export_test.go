package adminui

// SafeCell is for tests.
var SafeCell = safeCell
