package djangoimport

// Report says what an import did, or would do. Counts are of this run alone.
type Report struct {
	Key         string      `json:"key"`
	DryRun      bool        `json:"dry_run"`
	ExpiredRows ExpiredRows `json:"expired_rows"`
	// Tokens were read. Imported ones are new here, AlreadyThere came with an earlier
	// import; what is missing to their sum are rows with problems.
	Tokens       int64 `json:"tokens"`
	Imported     int64 `json:"imported"`
	AlreadyThere int64 `json:"already_there"`
	// UsesAdded were counted; Logs are the log rows that were carried over.
	UsesAdded int64 `json:"uses_added"`
	Logs      int64 `json:"logs"`
	// Spent tokens, of those read, have no use left in Django.
	Spent int64 `json:"spent"`
	// QuotaRaised and QuotaLowered had their max_uses changed since the last run.
	QuotaRaised  int64 `json:"quota_raised"`
	QuotaLowered int64 `json:"quota_lowered"`
	// ExpiredKept and ExpiredRevoked are tokens whose row has ended.
	ExpiredKept    int64 `json:"expired_kept"`
	ExpiredRevoked int64 `json:"expired_revoked"`
	// Deleted tokens were there at an earlier import and are gone from Django, where
	// their JWTs are refused: they were revoked.
	Deleted int64 `json:"deleted"`
	// Revoked tokens were imported earlier and are not what they were: their id was
	// given anew, their scope, mode or user changed, their user is gone, their row
	// cannot be read, or their quota fell and the store cannot follow. Each is among
	// the problems.
	Revoked int64 `json:"revoked"`
	// WithoutUser tokens name no user; InactiveUser ones a deactivated user, whose
	// tokens Django honours.
	WithoutUser  int64 `json:"without_user"`
	InactiveUser int64 `json:"inactive_user"`
	// ProblemCount is the number of all problems, of which Problems are the first.
	ProblemCount int64     `json:"problem_count"`
	Problems     []Problem `json:"problems"`
}

// MaxProblems is how many a report keeps: it must fit into memory.
const MaxProblems = 1000

// Problem is a row that was not carried over as it stands.
type Problem struct {
	Table string `json:"table"`
	// Row is its id; nil where that is no whole number.
	Row     *int64 `json:"row"`
	Problem string `json:"problem"`
}
