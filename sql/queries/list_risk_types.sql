SELECT risk_type, name, name_ko, loss_kind FROM risk_type ORDER BY position
