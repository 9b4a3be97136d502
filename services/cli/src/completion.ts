/** A completion made from the commands themselves, so that it can not fall behind. */
import type { Command } from 'commander';

/** Zsh reads it as bash does, once it is told to. */
const ZSH = 'autoload -Uz compinit bashcompinit && compinit && bashcompinit\n';

/** Installed with: source <(yagura completion bash) */
export function completionScript(root: Command, shell: 'bash' | 'zsh'): string {
  const names = (command: Command) => command.commands.map((child) => child.name()).join(' ');
  const cases = root.commands
    .filter((child) => child.commands.length > 0)
    .map((child) => `    ${child.name()}) words="${names(child)}" ;;`)
    .join('\n');
  return `${shell === 'zsh' ? ZSH : ''}_yagura() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words="-o --output --help"
  if [ "$COMP_CWORD" -eq 1 ]; then words="${names(root)}"; fi
  if [ "$COMP_CWORD" -eq 2 ]; then case "\${COMP_WORDS[1]}" in
${cases}
  esac; fi
  case "\${COMP_WORDS[COMP_CWORD-1]}" in -o|--output) words="table json" ;; esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _yagura yagura
`;
}
