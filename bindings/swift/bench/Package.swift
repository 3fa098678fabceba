// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "bench",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "hongyan", path: "..")],
    targets: [.executableTarget(name: "bench", dependencies: [.product(name: "Hongyan", package: "hongyan")])]
)
