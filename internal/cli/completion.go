package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" values:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (c *completionCmd) Run(a *app, parsed *kong.Context) error {
	commands := completions(parsed.Model.Node, nil)
	scripts := map[string]func(*strings.Builder, []completion){"bash": bashScript, "zsh": zshScript, "fish": fishScript}
	write, ok := scripts[c.Shell]
	if !ok {
		return fieldError("shell", "must be bash, zsh or fish, not %q", c.Shell)
	}
	var b strings.Builder
	write(&b, commands)
	_, err := io.WriteString(a.stdout, b.String())
	return err
}

// completion is what can follow a command.
type completion struct {
	path  string // "keys add", empty for the program itself
	words []completionWord
}

// step is the command before the last word, a space, and that word: what the scripts
// look at to get from one command to the next.
func (c completion) step() string {
	if strings.Contains(c.path, " ") {
		return c.path
	}
	return " " + c.path
}

// completionWord is a command, a value or a flag.
type completionWord struct {
	text, help string
	takesValue bool
	values     []string
}

// completions walks the command line as it was parsed, so that a new flag is
// completed without anybody thinking of it.
func completions(node *kong.Node, globals []*kong.Flag) (all []completion) {
	if node.Parent == nil {
		globals = node.Flags
	}
	c := completion{path: strings.Join(commandPath(node), " ")}
	for _, child := range node.Children {
		c.words = append(c.words, completionWord{text: child.Name, help: child.Help})
	}
	for _, arg := range node.Positional {
		for _, value := range valuesOf(arg) {
			c.words = append(c.words, completionWord{text: value})
		}
	}
	flags := node.Flags
	if node.Parent != nil {
		flags = append(flags[:len(flags):len(flags)], globals...)
	}
	for _, flag := range flags {
		c.words = append(c.words, completionWord{
			text: "--" + flag.Name, help: flag.Help, takesValue: !flag.IsBool(), values: valuesOf(flag.Value),
		})
	}
	all = append(all, c)
	for _, child := range node.Children {
		all = append(all, completions(child, globals)...)
	}
	return all
}

func valuesOf(v *kong.Value) []string {
	if values := v.Tag.Get("values"); values != "" {
		return strings.Split(values, ",")
	}
	return nil
}

// shellWalk finds the command that is being typed, in bash and in zsh.
func shellWalk(b *strings.Builder, commands []completion, words string) {
	fmt.Fprintf(b, "  local w at=\"\"\n  for w in %s; do\n    case \"$at $w\" in\n", words)
	for _, c := range commands {
		if c.path == "" {
			continue
		}
		fmt.Fprintf(b, "      %s) at=%s ;;\n", quote(c.step()), quote(c.path))
	}
	b.WriteString("    esac\n  done\n")
}

func bashScript(b *strings.Builder, commands []completion) {
	b.WriteString("# bash completion for hallpass; load it with: source <(hallpass completion bash)\n_hallpass() {\n")
	b.WriteString("  local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\"\n")
	shellWalk(b, commands, `"${COMP_WORDS[@]:1:COMP_CWORD-1}"`)
	b.WriteString("  local words=\"\"\n  case \"$at $prev\" in\n")
	for _, c := range commands {
		for _, w := range c.words {
			if w.takesValue {
				fmt.Fprintf(b, "    %s) words=%s ;;\n", quote(c.path+" "+w.text), quote(strings.Join(w.values, " ")))
			}
		}
	}
	b.WriteString("    *) case \"$at\" in\n")
	for _, c := range commands {
		fmt.Fprintf(b, "      %s) words=%s ;;\n", quote(c.path), quote(joinWords(c.words)))
	}
	b.WriteString("    esac ;;\n  esac\n")
	b.WriteString("  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _hallpass hallpass\n")
}

func zshScript(b *strings.Builder, commands []completion) {
	b.WriteString("#compdef hallpass\n# zsh completion for hallpass; load it with: source <(hallpass completion zsh)\n_hallpass() {\n")
	shellWalk(b, commands, `"${(@)words[2,CURRENT-1]}"`)
	b.WriteString("  local -a found\n  case \"$at $words[CURRENT-1]\" in\n")
	for _, c := range commands {
		for _, w := range c.words {
			if w.takesValue && w.values != nil {
				fmt.Fprintf(b, "    %s) compadd -- %s; return ;;\n", quote(c.path+" "+w.text), strings.Join(w.values, " "))
			} else if w.takesValue {
				fmt.Fprintf(b, "    %s) _files; return ;;\n", quote(c.path+" "+w.text))
			}
		}
	}
	b.WriteString("  esac\n  case \"$at\" in\n")
	for _, c := range commands {
		var found []string
		for _, w := range c.words {
			found = append(found, quote(strings.ReplaceAll(w.text, ":", `\:`)+":"+w.help))
		}
		fmt.Fprintf(b, "    %s) found=(%s) ;;\n", quote(c.path), strings.Join(found, " "))
	}
	b.WriteString("  esac\n  _describe hallpass found || _files\n}\ncompdef _hallpass hallpass\n")
}

func fishScript(b *strings.Builder, commands []completion) {
	b.WriteString("# fish completion for hallpass; load it with: hallpass completion fish | source\n")
	b.WriteString("function __hallpass_at\n  set -l at ''\n  for w in (commandline -opc)[2..]\n    switch \"$at $w\"\n")
	for _, c := range commands {
		if c.path == "" {
			continue
		}
		fmt.Fprintf(b, "      case %s\n        set at %s\n", quote(c.step()), quote(c.path))
	}
	b.WriteString("    end\n  end\n  test \"$at\" = \"$argv[1]\"\nend\n")
	for _, c := range commands {
		at := quote("__hallpass_at " + `"` + c.path + `"`)
		for _, w := range c.words {
			name, isFlag := strings.CutPrefix(w.text, "--")
			switch {
			case !isFlag:
				fmt.Fprintf(b, "complete -c hallpass -f -n %s -a %s -d %s\n", at, w.text, quote(w.help))
			case w.values != nil:
				fmt.Fprintf(b, "complete -c hallpass -n %s -l %s -x -a %s -d %s\n", at, name, quote(strings.Join(w.values, " ")), quote(w.help))
			case w.takesValue:
				fmt.Fprintf(b, "complete -c hallpass -n %s -l %s -r -d %s\n", at, name, quote(w.help))
			default:
				fmt.Fprintf(b, "complete -c hallpass -n %s -l %s -d %s\n", at, name, quote(w.help))
			}
		}
	}
}

func joinWords(words []completionWord) string {
	var texts []string
	for _, w := range words {
		texts = append(texts, w.text)
	}
	return strings.Join(texts, " ")
}

// quote is shell quoting that all three shells read alike.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'"'"'`) + "'"
}
