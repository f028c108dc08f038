import ApoLua
import Glibc

exit(runCommandLine(CommandLine.arguments))
