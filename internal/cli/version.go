package cli

import (
	"runtime/debug"

	"github.com/hallpass-go/hallpass/internal/server"
)

type versionCmd struct{}

// version is what this program was built from.
type version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
}

func versionOf() version {
	v := version{Version: "(devel)"}
	if info, ok := debug.ReadBuildInfo(); ok {
		v.Go = info.GoVersion
		v.Version = orText(info.Main.Version, v.Version)
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Revision = s.Value
			case "vcs.modified":
				v.Modified = s.Value == "true"
			}
		}
	}
	return v
}

func buildOf() server.Build {
	v := versionOf()
	return server.Build{Version: v.Version, Revision: v.Revision, Go: v.Go}
}

func (c *versionCmd) Run(a *app) error {
	v := versionOf()
	if a.grammar.JSON {
		return a.print(v)
	}
	return a.line("hallpass %s (%s)", v.Version, v.Go)
}
