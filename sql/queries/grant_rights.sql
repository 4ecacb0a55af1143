SELECT grant_rights()
