// `apo-lua completion SHELL`: what a shell needs to complete this command line.

import Lua

/// The completion of a shell, made from the declared options and commands.
///
/// Throws `LuaError` unless the shell is bash, zsh or fish.
func completionText(for shell: String?) throws -> String {
  switch shell {
  case "bash": return bash
  case "zsh": return zsh
  case "fish": return fish
  default:
    throw LuaError("completion: bash, zsh or fish expected, got \(shell ?? "nothing")")
  }
}

private typealias Line = CommandLineArguments

private let optionNames = Line.options.flatMap(\.names).filter { $0.count > 1 }
private let optionsWithArgument = Line.options.filter { $0.argument != nil }.flatMap(\.names)
private let commandNames = Line.commands.map(\.name)
private let shells = ["bash", "zsh", "fish"]

private func words(_ list: [String]) -> String { list.joined(separator: " ") }

private var bash: String {
  """
  # Completion of apo-lua for bash: source this, or put it into bash-completion's folder.
  _apo_lua() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    COMPREPLY=()
    case $before in
      copy) COMPREPLY=($(compgen -W "\(words(algorithmNames))" -- "$word")); return ;;
      completion) COMPREPLY=($(compgen -W "\(words(shells))" -- "$word")); return ;;
      \(optionsWithArgument.joined(separator: "|"))) return ;;
    esac
    if [[ $word == -* ]]; then
      COMPREPLY=($(compgen -W "\(words(optionNames))" -- "$word"))
    else
      ((COMP_CWORD == 1)) && COMPREPLY=($(compgen -W "\(words(commandNames))" -- "$word"))
      COMPREPLY+=($(compgen -f -- "$word"))
    fi
  }
  complete -o filenames -F _apo_lua apo-lua

  """
}

/// A text inside single quotes and, for zsh, square brackets.
private func quoted(_ text: String) -> String {
  text.replacing("'", with: "'\\''").replacing("[", with: "(").replacing("]", with: ")")
    .replacing(":", with: "\\:")
}

private var zsh: String {
  let options = Line.options.filter { !["-", "--"].contains($0.names[0]) }.flatMap { option in
    option.names.map { name in
      "    '\(option.argument == nil ? "" : "*")\(name)[\(quoted(option.text))]"
        + (option.argument.map { ":\($0): " } ?? "") + "'"
    }
  }
  let commands = Line.commands.map { "    '\($0.name):\(quoted($0.text))'" }
  return """
    #compdef apo-lua
    # Completion of apo-lua for zsh: put it as _apo-lua into a folder of $fpath.
    _apo_lua_first() {
      local -a commands=(
    \(commands.joined(separator: "\n"))
      )
      _describe command commands
      _files -g '*.lua'
    }
    _apo_lua_rest() {
      case $words[2] in
        copy) compadd \(words(algorithmNames)) ;;
        completion) compadd \(words(shells)) ;;
        *) _files ;;
      esac
    }
    _arguments \\
    \(options.map { $0 + " \\" }.joined(separator: "\n"))
      '1: :_apo_lua_first' '*: :_apo_lua_rest'

    """
}

private var fish: String {
  let escaped = { (text: String) in text.replacing("'", with: "\\'") }
  let first = "__fish_is_first_arg"
  let options = Line.options.filter { !["-", "--"].contains($0.names[0]) }.map { option in
    let names = option.names.map {
      $0.hasPrefix("--") ? "-l \($0.dropFirst(2))" : "-s \($0.dropFirst())"
    }
    return "complete -c apo-lua \(words(names))\(option.argument == nil ? "" : " -x")"
      + " -d '\(escaped(option.text))'"
  }
  let commands = Line.commands.map {
    "complete -c apo-lua -n \(first) -a \($0.name) -d '\(escaped($0.text))'"
  }
  return """
    # Completion of apo-lua for fish: put it as apo-lua.fish into a folder of $fish_complete_path.
    \((options + commands).joined(separator: "\n"))
    complete -c apo-lua -n '__fish_seen_subcommand_from copy' -f -a '\(words(algorithmNames))'
    complete -c apo-lua -n '__fish_seen_subcommand_from completion' -f -a '\(words(shells))'

    """
}
