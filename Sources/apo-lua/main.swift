print("apo-lua")
