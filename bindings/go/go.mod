module hongyan

go 1.24
