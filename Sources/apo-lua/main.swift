import ApoLua
import Glibc

exit(runCommandLine())
